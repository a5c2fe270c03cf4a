// Package rig is what the chaos programs share: the real binary as a process that can
// be killed and frozen, the simulated WhatsApp around it, and the audit of what
// came out. The audit looks at the simulator's side only.
package rig

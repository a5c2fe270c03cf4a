// Package decorate holds ports around ports: each function takes an adapter and
// returns one of the same port that does a little more. What is decorated keeps its
// promises, so each decorator passes the contract suite of its port, and it has an
// extra ability exactly when what it wraps has it.
//
// Paced holds a messenger to the network's limits.
//
// LLM, STT and TTS put a list of vendors behind one port. A call goes through these
// layers, from the outside in:
//
//   - the request is checked: one that is invalid by itself reaches nobody;
//   - failover: the next provider is asked on every failure but KindBlocked, which
//     is a policy's word and not a fault, and KindCanceled; or a little earlier, as a
//     hedge. Each is given a share of the time that is left;
//   - retry, with full jitter, inside the provider's share;
//   - circuit breaker, one for each provider and operation;
//   - deadlines of the one attempt;
//   - metering of it.
//
// The retry policy and the circuit are failsafe-go's. Where the library does not
// fit, the comment beside our own piece says why. Its timers and clocks are package
// time's and it starts no goroutine here, so that all of it runs in a
// testing/synctest bubble.
//
// Thousands of turns wait for a model at once, each on its goroutine's stack. Functions
// marked noinline are not part of that wait: inlined, their variables would be.
package decorate

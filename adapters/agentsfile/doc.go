// Package agentsfile reads the YAML file that describes several business numbers
// for one process: who the bot is at each, and which variables hold its secrets.
// docs/agents-file.md is the file's manual.
//
// A key that means the same as an environment variable is named like it, in small
// letters, and is not interpreted here: whoever uses the file reads it by the rules
// of that variable, so that both have one meaning. Secrets never stand in the file,
// and nothing of its content but keys stands in an error.
package agentsfile

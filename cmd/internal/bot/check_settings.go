package bot

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"whatsappnode/adapters/settings"
)

// settings tells what is wrong with the settings, one finding a fault, and what is
// odd about them.
func (c *checker) settings() []finding {
	var out []finding
	for _, f := range takeApart(c.faults) {
		each := finding{Check: "settings", Subject: f.variable}
		each.fail(f.problem, f.toDo())
		out = append(out, each)
	}
	if len(out) == 0 {
		f := finding{Check: "settings"}
		f.ok(fmt.Sprintf("role %s, store %s, %s, answers as %s", c.cfg.Role, c.cfg.storeKind(), numbers(c.all), c.all.replyModes()))
		out = append(out, f)
	}
	for _, s := range settings.Unknown(c.opt.Environ, slices.Concat(settings.Describe(Config{}), c.all.variables(), c.tools.named), prefixes) {
		f := finding{Check: "settings", Subject: s.Name}
		f.warn("is set, and is no setting", "remove it")
		if s.Meant != "" {
			f.ToDo = "correct its name; " + s.Meant + " was meant?"
		}
		out = append(out, f)
	}
	for _, n := range c.all.notices() {
		f := finding{Check: "settings"}
		notice, toDo, _ := strings.Cut(n, ": ")
		f.warn(notice, toDo)
		out = append(out, f)
	}
	return out
}

func numbers(all agents) string {
	switch {
	case len(all) == 1 && all[0].number == "":
		return "one bot for every number"
	case len(all) == 1:
		return "1 business number"
	}
	return fmt.Sprintf("%d business numbers", len(all))
}

// fault is one thing that is wrong with the settings. None of its texts holds a value:
// it may be a secret in the wrong place.
type fault struct{ variable, problem string }

// takeApart lists the faults that errors tell of, each once.
func takeApart(errs []error) []fault {
	var out []fault
	for _, err := range errs {
		var all settings.Faults
		joined, ok := err.(interface{ Unwrap() []error })
		var more []fault
		switch {
		case errors.As(err, &all):
			for _, f := range all {
				more = append(more, fault{f.Var, f.Problem})
			}
		case ok:
			more = takeApart(joined.Unwrap())
		default:
			more = readFaults(err.Error())
		}
		for _, f := range more {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

var variableFirst = regexp.MustCompile(`^([A-Z][A-Z0-9_]*[A-Z0-9])([:,]?) (.+)$`)

// readFaults takes the variable off a text. Several lines are several faults of the
// variable before them.
func readFaults(text string) []fault {
	var out []fault
	variable := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := variableFirst.FindStringSubmatch(line); m != nil && (variable == "" || lackingSetting.FindString(line) == "") {
			variable, line = m[1], m[3]
			if m[2] == "," {
				line = "and " + line // it is about several variables
			}
		}
		if line != "" {
			out = append(out, fault{variable, line})
		}
	}
	return out
}

var lackingSetting = regexp.MustCompile(`([A-Z][A-Z0-9_]+) is (?:required|not set)`)

// toDo is what mends the fault.
func (f fault) toDo() string {
	if m := lackingSetting.FindStringSubmatch(f.problem); m != nil {
		if strings.HasSuffix(f.variable, "_PROVIDER") {
			return fmt.Sprintf("set %s, or take the provider that needs it out of %s", m[1], f.variable)
		}
		return "set " + m[1]
	}
	switch {
	case strings.Contains(f.problem, "unknown provider"):
		return "choose among those that are known"
	case strings.Contains(f.problem, "encoder"):
		return "install opus-tools, or use an image of the bot with libopus"
	case strings.Contains(f.problem, "application default credentials"):
		return "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or run where Google Cloud provides one"
	case f.variable == "":
		return "correct it; deployments/env.example explains every setting"
	case f.problem == "is required":
		return fmt.Sprintf("set %s, or %s_FILE to the path of a file that holds it", f.variable, f.variable)
	case f.variable == "AGENTS_FILE":
		return "correct the file; docs/agents-file.md is its manual"
	}
	return fmt.Sprintf("correct %s; deployments/env.example explains it", f.variable)
}

// faulty reports whether a fault names one of the variables.
func (c *checker) faulty(variables ...string) bool {
	return slices.ContainsFunc(takeApart(c.faults), func(f fault) bool { return slices.Contains(variables, f.variable) })
}

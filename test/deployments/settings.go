package deployments

import (
	"regexp"
	"strings"
)

// exampleFile lists every setting; a test of the bot keeps it equal to its config
// struct. A required one is not commented out.
const exampleFile = "deployments/env.example"

var exampleLine = regexp.MustCompile(`(?m)^(#?)([A-Z][A-Z0-9_]*)=`)

// knownSettings are the bot's variables; the value says whether one is required.
func knownSettings(files Files) map[string]bool {
	known := map[string]bool{}
	for _, m := range exampleLine.FindAllStringSubmatch(files[exampleFile], -1) {
		known[m[2]] = m[1] == ""
	}
	return known
}

// checkSettings wants that a process is given nothing that the bot does not know, each
// thing once, and all that it cannot start without.
func checkSettings(files Files, faults *Faults, file string, given map[string]string) {
	known := knownSettings(files)
	faults.want(len(known) > 20, exampleFile, "lists too few settings to check others by")
	for name := range given {
		base, isFile := strings.CutSuffix(name, "_FILE")
		_, direct := known[name]
		_, byFile := known[base]
		faults.want(direct || isFile && byFile, file, "%s is no setting of the bot", name)
		if _, twice := given[name+"_FILE"]; twice {
			faults.add(file, "%s and %s_FILE are both given", name, name)
		}
	}
	for name, required := range known {
		_, direct := given[name]
		_, byFile := given[name+"_FILE"]
		faults.want(!required || direct || byFile, file, "%s is required", name)
	}
}

// checkValues wants settings to have certain values, because something depends on it.
func checkValues(faults *Faults, file string, given, want map[string]string) {
	for name, value := range want {
		got, ok := given[name]
		faults.want(ok && got == value, file, "%s must be %q, and is %q", name, value, got)
	}
}

package offline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The programs, and the Debian packages they come in.
const (
	progSphinx = "pocketsphinx_continuous"
	progFlite  = "flite"
	progEspeak = "espeak-ng"
	progOpus   = "opusenc"

	pkgSphinx = "pocketsphinx"
	pkgModel  = "pocketsphinx-en-us"
	pkgFlite  = "flite"
	pkgEspeak = "espeak-ng"
	pkgOpus   = "opus-tools"
)

// DefaultModelDir is where Debian's pocketsphinx-en-us puts the English model.
const DefaultModelDir = "/usr/share/pocketsphinx/model/en-us"

// Availability says which engines this machine has.
type Availability struct {
	// STT is true when the ear works.
	STT bool
	// TTS is true when the voice works at least for some language.
	TTS bool
	// English and Others say which languages the voice speaks: English by flite or
	// espeak-ng, others by espeak-ng alone.
	English, Others bool
	// Missing are the Debian packages that would add what is not there, sorted.
	Missing []string
}

// Hint is one line that says how to install what is missing, or empty.
func (a Availability) Hint() string {
	if len(a.Missing) == 0 {
		return ""
	}
	return "apt-get install " + strings.Join(a.Missing, " ")
}

// Probe looks for the engines with the given function, which finds a program by
// name as exec.LookPath does, and for the speech model in DefaultModelDir. It
// starts nothing.
func Probe(lookPath func(name string) (string, error)) Availability {
	return Config{LookPath: lookPath}.Probe()
}

// Probe is the function Probe with this configuration's directories.
func (c Config) Probe() Availability {
	has := func(program string) bool {
		_, err := c.find(program)
		return err == nil
	}
	sphinx, model := has(progSphinx), c.model().complete()
	flite, espeak, opus := has(progFlite), has(progEspeak), has(progOpus)
	a := Availability{
		STT:     sphinx && model,
		TTS:     opus && (flite || espeak),
		English: opus && (flite || espeak),
		Others:  opus && espeak,
	}
	for pkg, found := range map[string]bool{pkgSphinx: sphinx, pkgModel: model, pkgFlite: flite, pkgEspeak: espeak, pkgOpus: opus} {
		if !found {
			a.Missing = append(a.Missing, pkg)
		}
	}
	slices.Sort(a.Missing)
	return a
}

// missing is the error of a constructor whose engine is not there.
func missing(what string, pkgs ...string) error {
	return fmt.Errorf("%s is not installed; Debian: apt-get install %s", what, strings.Join(pkgs, " "))
}

// model are the files of the speech model.
type model struct{ acoustic, language, dictionary string }

func (c Config) model() model {
	dir := c.ModelDir
	if dir == "" {
		dir = DefaultModelDir
	}
	return model{
		acoustic:   filepath.Join(dir, "en-us"),
		language:   filepath.Join(dir, "en-us.lm.bin"),
		dictionary: filepath.Join(dir, "cmudict-en-us.dict"),
	}
}

func (m model) complete() bool {
	for _, path := range []string{m.acoustic, m.language, m.dictionary} {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

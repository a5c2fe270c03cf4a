package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// ReadDotEnv reads a file of NAME=value lines for development. A file that does
// not exist is no error. The error never repeats the file's content.
func ReadDotEnv(path string) (map[string]string, error) {
	f, err := os.Open(path) // #nosec G304 -- the program names the file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return map[string]string{}, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: it cannot be opened", path)
	}
	defer f.Close()
	vars, err := godotenv.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: a line is not of the form NAME=value", path)
	}
	return vars, nil
}

// Overlay looks in the real environment first and then in vars. A variable whose
// other form (X or X_FILE) is set in the real environment is not taken from vars,
// so that the two never contradict each other across the layers.
func Overlay(getenv Getenv, vars map[string]string) Getenv {
	return func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		other := name + fileSuffix
		if base, ok := strings.CutSuffix(name, fileSuffix); ok {
			other = base
		}
		if getenv(other) != "" {
			return ""
		}
		return vars[name]
	}
}

package deployments

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files are the deployment files by their path from the repository's root. The checks
// look at nothing else, so that a test can change one.
type Files map[string]string

// Load reads them.
func Load(root string) (Files, error) {
	files := Files{}
	for _, from := range []string{"Dockerfile", ".dockerignore", "deployments", ".github", eventsPage, runbookPage} {
		err := filepath.WalkDir(filepath.Join(root, from), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if err == nil && strings.HasPrefix(d.Name(), ".terraform") {
					return fs.SkipDir
				}
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			files[filepath.ToSlash(name)] = string(body)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// under lists the files of a folder with one of the endings, in order.
func (f Files) under(folder string, endings ...string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !strings.HasPrefix(name, folder) {
			continue
		}
		for _, e := range endings {
			if strings.HasSuffix(name, e) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Faults are what is wrong, each with its file.
type Faults []string

func (f *Faults) add(file, format string, args ...any) {
	*f = append(*f, file+": "+fmt.Sprintf(format, args...))
}

// want adds a fault unless a condition holds.
func (f *Faults) want(ok bool, file, format string, args ...any) {
	if !ok {
		f.add(file, format, args...)
	}
}

// checks are all of them by the path their files begin with.
var checks = []struct {
	of  string
	run func(Files, *Faults)
}{
	{"Dockerfile", checkDockerfile},
	{"deployments/cloudrun/", checkCloudRun},
	{"deployments/terraform/", checkTerraform},
	{"deployments/cloudbuild.yaml", checkCloudBuild},
	{".github/", checkWorkflows},
	{"deployments/compose/", checkCompose},
	{"deployments/kubernetes/", checkKubernetes},
	{"deployments/systemd/", checkSystemd},
}

// Check runs all checks, or those of one file.
func Check(files Files, only string) Faults {
	var faults Faults
	for _, c := range checks {
		if only != "" && !strings.HasPrefix(only, c.of) {
			continue
		}
		func() {
			defer func() {
				if v := recover(); v != nil { // a file so broken that its check lost its way
					faults.add(c.of, "cannot be checked: %v", v)
				}
			}()
			c.run(files, &faults)
		}()
	}
	return faults
}

package deployments

import (
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/cloudbuild/v1"
)

const cloudBuildFile = "deployments/cloudbuild.yaml"

var substitution = regexp.MustCompile(`\$\{?(_?[A-Z][A-Z0-9_]*)\}?`)

// builtIn are Cloud Build's own substitutions that a build started by hand has, too.
var builtIn = []string{"PROJECT_ID", "BUILD_ID", "LOCATION", "PROJECT_NUMBER"}

// checkCloudBuild reads the file into the type of Google's own Go package.
func checkCloudBuild(files Files, faults *Faults) {
	var build cloudbuild.Build
	if err := strictly(files[cloudBuildFile], &build); err != nil {
		faults.add(cloudBuildFile, "%v", err)
		return
	}
	var order []string
	var all strings.Builder
	for _, s := range build.Steps {
		order = append(order, s.Id)
		faults.want(s.Name != "", cloudBuildFile, "step %s has no image", s.Id)
		all.WriteString(strings.Join(s.Args, " ") + "\n")
	}
	faults.want(slices.Equal(order, []string{"test", "build", "push", "deploy"}), cloudBuildFile, "the steps are %v: nothing is deployed that was not tested", order)
	all.WriteString(strings.Join(build.Images, " "))
	for _, m := range substitution.FindAllStringSubmatch(all.String(), -1) {
		_, own := build.Substitutions[m[1]]
		faults.want(own || slices.Contains(builtIn, m[1]), cloudBuildFile, "nobody fills in $%s", m[1])
	}
	const image = "gcr.io/$PROJECT_ID/whatsapp-node:${BUILD_ID}"
	for _, part := range []string{
		"make test", "make check-deployments", "--tag " + image, `docker push "` + image + `"`, ".RepoDigests",
		`deployments/cloudrun/deploy.sh "$(cat /workspace/image)"`,
	} {
		faults.want(strings.Contains(all.String(), part), cloudBuildFile, "the steps lack %q", part)
	}
	faults.want(slices.Equal(build.Images, []string{image}), cloudBuildFile, "images must be %s, or there is no provenance", image)
	faults.want(build.Options != nil && build.Options.RequestedVerifyOption == "VERIFIED", cloudBuildFile, "provenance must be asked for")
	faults.want(build.Options != nil && build.Options.Logging == "CLOUD_LOGGING_ONLY", cloudBuildFile, "an account of one's own needs CLOUD_LOGGING_ONLY")
	faults.want(regexp.MustCompile(`^\d+s$`).MatchString(build.Timeout), cloudBuildFile, "the timeout is %q", build.Timeout)
	_, named := files[cloudRunFolder+"deploy.sh"]
	faults.want(named, cloudBuildFile, "there is no deploy.sh")
}

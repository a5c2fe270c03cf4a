package deployments

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

const dockerfile = "Dockerfile"

// checkDockerfile parses the file as the builder does and asserts what the image is
// trusted for: a static binary, nothing else in it, and nobody's rights.
func checkDockerfile(files Files, faults *Faults) {
	stages, err := stagesOf(files)
	if err != nil {
		faults.add(dockerfile, "%v", err)
		return
	}
	if len(stages) != 2 {
		faults.add(dockerfile, "has %d stages in place of one that builds and one that runs", len(stages))
		return
	}
	build, final := stages[0], stages[1]
	faults.want(strings.HasPrefix(build.BaseName, "golang:1.26"), dockerfile, "is built with %s, and go.mod wants Go 1.26", build.BaseName)
	faults.want(final.BaseName == "gcr.io/distroless/static-debian12:nonroot", dockerfile, "runs on %s: the image has no shell and no root", final.BaseName)
	for _, part := range []string{
		"CGO_ENABLED=1", "-trimpath", "-tags 'libopus nolibopusfile netgo osusergo'", "-linkmode external -extldflags -static",
		"-X whatsappnode/cmd/internal/bot.Version=${VERSION}", "-o /out/whatsapp-node", "./cmd/whatsapp-node",
	} {
		faults.want(strings.Contains(buildCommand(stages), part), dockerfile, "the build lacks %q", part)
	}
	var user, expose, entrypoint, health, env []string
	for _, c := range final.Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = append(user, c.User)
		case *instructions.ExposeCommand:
			expose = append(expose, c.Ports...)
		case *instructions.EntrypointCommand:
			faults.want(!c.PrependShell, dockerfile, "the entrypoint needs a shell, and there is none")
			entrypoint = c.CmdLine
		case *instructions.HealthCheckCommand:
			health = c.Health.Test
		case *instructions.EnvCommand:
			for _, kv := range c.Env {
				env = append(env, kv.Key+"="+kv.Value)
			}
		case *instructions.CopyCommand:
			faults.want(c.From == build.Name, dockerfile, "copies from %q, which builds nothing", c.From)
		case *instructions.RunCommand, *instructions.AddCommand:
			faults.add(dockerfile, "the image that runs is only copied together: %s", c.Name())
		}
	}
	faults.want(slices.Equal(user, []string{"65532:65532"}), dockerfile, "must run as 65532:65532, and runs as %v", user)
	faults.want(slices.Equal(expose, []string{"8080"}), dockerfile, "must expose 8080 alone, and exposes %v", expose)
	faults.want(slices.Equal(entrypoint, []string{"/whatsapp-node"}), dockerfile, "the entrypoint is %v", entrypoint)
	faults.want(slices.Equal(health, []string{"CMD", "/whatsapp-node", "healthcheck"}), dockerfile, "the health check is %v", health)
	faults.want(slices.Contains(env, "STORE_PATH=/data/whatsapp-node.db"), dockerfile, "the embedded store belongs on the volume /data")
	for _, must := range []string{".git", ".env", "*.db*"} {
		faults.want(slices.Contains(strings.Fields(files[".dockerignore"]), must), dockerfile, ".dockerignore must keep %s out of the build", must)
	}
}

func stagesOf(files Files) ([]instructions.Stage, error) {
	parsed, err := parser.Parse(strings.NewReader(files[dockerfile]))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	return stages, err
}

// buildCommand is the RUN line that makes the binary.
func buildCommand(stages []instructions.Stage) string {
	for _, c := range stages[0].Commands {
		if run, ok := c.(*instructions.RunCommand); ok && strings.Contains(strings.Join(run.CmdLine, " "), "go build") {
			return strings.Join(run.CmdLine, " ")
		}
	}
	return ""
}

// BuildCommand is the Dockerfile's own command that makes the binary.
func BuildCommand(files Files) (string, error) {
	stages, err := stagesOf(files)
	if err != nil {
		return "", err
	}
	return buildCommand(stages), nil
}

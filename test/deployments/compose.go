package deployments

import (
	"context"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFolder = "deployments/compose/"

// checkCompose loads the file with Compose's own loader, which knows every key, and
// asserts what the durability and the confinement rest on.
func checkCompose(files Files, faults *Faults) {
	const file = composeFolder + "compose.yaml"
	details := types.ConfigDetails{
		WorkingDir:  "/" + composeFolder,
		ConfigFiles: []types.ConfigFile{{Filename: file, Content: []byte(files[file])}},
		Environment: types.Mapping{"SITE": "bot.example.com"},
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SkipResolveEnvironment = true // env_file is the operator's
		o.Profiles = []string{"*"}
		o.SetProjectName("whatsapp-node", true)
	})
	if err != nil {
		faults.add(file, "%v", err)
		return
	}
	for _, name := range []string{"bot", "valkey", "caddy", "ollama", "whisper"} {
		s, ok := project.Services[name]
		if !ok {
			faults.add(file, "there is no %s", name)
			continue
		}
		faults.want(slices.Equal(s.CapDrop, []string{"ALL"}), file, "%s keeps capabilities", name)
		faults.want(slices.Contains(s.SecurityOpt, "no-new-privileges:true"), file, "%s may gain privileges", name)
		faults.want(s.Restart == "unless-stopped", file, "%s does not come back", name)
		faults.want(s.Logging != nil && s.Logging.Options["max-size"] != "" && s.Logging.Options["max-file"] != "", file, "the log of %s grows without end", name)
		faults.want(!strings.HasSuffix(s.Image, ":latest") && strings.Contains(s.Image, ":"), file, "%s runs whatever is newest: %s", name, s.Image)
		local := name == "ollama" || name == "whisper"
		faults.want(local == slices.Equal(s.Profiles, []string{"local"}), file, "%s has the profiles %v", name, s.Profiles)
		faults.want(local || s.ReadOnly, file, "%s can write into its image", name)
		faults.want(name == "caddy" || len(s.Ports) == 0, file, "%s is open to the outside", name)
	}
	checkComposeBot(files, faults, file, project)
	valkey := project.Services["valkey"]
	command := strings.Join(valkey.Command, " ")
	for _, part := range []string{"--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction", "requirepass"} {
		faults.want(strings.Contains(command, part), file, "valkey lacks %s", part)
	}
	faults.want(len(valkey.Volumes) == 1 && valkey.Volumes[0].Type == "volume" && valkey.Volumes[0].Target == "/data", file, "valkey's data must be on a volume")
	faults.want(project.Networks["back"].Internal, file, "valkey's network leads outside")
	_, front := valkey.Networks["front"]
	faults.want(!front, file, "valkey is on the front network")
	checkCaddyfile(files, faults)
}

func checkComposeBot(files Files, faults *Faults, file string, project *types.Project) {
	bot := project.Services["bot"]
	given := environment(files[composeFolder+"bot.env.example"])
	for name, value := range bot.Environment {
		if value != nil {
			given[name] = *value
		}
	}
	checkSettings(files, faults, file, given)
	checkSettings(files, faults, composeFolder+"local.env.example", merged(given, environment(files[composeFolder+"local.env.example"])))
	checkValues(faults, file, given, map[string]string{
		"STORE": "redis", "REDIS_URL": "redis://valkey:6379", "REDIS_ACK": "fsync", "DRAIN_DELAY": "3s", "DRAIN_TIMEOUT": "20s",
	})
	for name, value := range given {
		secret, isSecretFile := strings.CutPrefix(value, "/run/secrets/")
		if !isSecretFile {
			faults.want(!isSecret(name) || value == "", file, "%s is a secret and stands in the file", name)
			continue
		}
		mounted := slices.ContainsFunc(bot.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == secret })
		faults.want(mounted, file, "%s names the secret %s, which the bot does not get", name, secret)
	}
	for name, secret := range project.Secrets {
		faults.want(strings.HasPrefix(secret.File, "/"+composeFolder+"secrets/") || strings.HasPrefix(secret.File, "secrets/"), file, "the secret %s is not a file in secrets/, which git ignores: %s", name, secret.File)
	}
	faults.want(bot.User == "65532:65532", file, "the bot runs as %q", bot.User)
	faults.want(bot.HealthCheck != nil && slices.Equal(bot.HealthCheck.Test, []string{"CMD", "/whatsapp-node", "healthcheck"}), file, "the bot's health check needs a shell that is not there")
	faults.want(bot.StopGracePeriod != nil && bot.StopGracePeriod.String() == "30s", file, "the bot is killed before DRAIN_DELAY and DRAIN_TIMEOUT have passed")
	faults.want(bot.DependsOn["valkey"].Condition == "service_healthy", file, "the bot must wait for valkey")
}

// checkCaddyfile looks for its load-bearing lines; Caddy's own parser is far too large a
// guest for a check.
func checkCaddyfile(files Files, faults *Faults) {
	const file = composeFolder + "Caddyfile"
	text := files[file]
	faults.want(strings.Count(text, "{") == strings.Count(text, "}"), file, "a brace is missing")
	lines := map[string]bool{}
	for line := range strings.Lines(text) {
		lines[strings.TrimSpace(line)] = true
	}
	for _, must := range []string{
		"{$SITE} {", "handle /webhook {", "max_size 4MB", "reverse_proxy bot:8080 {", "lb_try_duration 20s", "health_uri /ready", "health_interval 1s",
		"respond 404", "read_header 5s",
	} {
		faults.want(lines[must], file, "lacks the line %q", must)
	}
}

// environment reads NAME=value lines.
func environment(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			out[name] = value
		}
	}
	return out
}

func merged(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

package deployments

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const unitFile = "deployments/systemd/whatsapp-node.service"

// mostExposure is the worst mark, in tenths, that `systemd-analyze security` may give.
const mostExposure = 20

// checkSystemd lets systemd read its unit and judge how exposed it leaves the process.
func checkSystemd(files Files, faults *Faults) {
	unit := files[unitFile]
	directives := map[string][]string{}
	for line := range strings.Lines(unit) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			directives[name] = append(directives[name], value)
		}
	}
	given := environment("WHATSAPP_PHONE_NUMBER_ID=from /etc/whatsapp-node/env")
	for _, e := range directives["Environment"] {
		name, value, _ := strings.Cut(e, "=")
		given[name] = value
		faults.want(!isSecret(name), unitFile, "%s is a secret and stands in the unit", name)
		credential, ok := strings.CutPrefix(value, "%d/")
		if strings.HasSuffix(name, "_FILE") {
			faults.want(ok && slices.ContainsFunc(directives["LoadCredential"], func(c string) bool { return strings.HasPrefix(c, credential+":") }),
				unitFile, "%s names the credential %s, which is not loaded", name, value)
		}
	}
	checkSettings(files, faults, unitFile, given)
	checkValues(faults, unitFile, given, map[string]string{
		"STORE": "embedded", "STORE_PATH": "%S/whatsapp-node/whatsapp-node.db", "LISTEN_ADDR": "127.0.0.1:8080", "DRAIN_TIMEOUT": "20s",
	})
	for name, want := range map[string]string{
		"ExecStart": "/usr/local/bin/whatsapp-node all", "StateDirectory": "whatsapp-node", "Restart": "always", "RestartPreventExitStatus": "78",
		"TimeoutStopSec": "30", "DynamicUser": "yes", "EnvironmentFile": "/etc/whatsapp-node/env", "WantedBy": "multi-user.target",
	} {
		faults.want(slices.Equal(directives[name], []string{want}), unitFile, "%s must be %q, and is %q", name, want, directives[name])
	}
	dir, err := os.MkdirTemp("", "deployments-")
	if err != nil {
		faults.add(unitFile, "%v", err)
		return
	}
	defer os.RemoveAll(dir)
	// The program need not be installed where the unit is checked.
	copied := filepath.Join(dir, filepath.Base(unitFile))
	text := strings.Replace(unit, "ExecStart=/usr/local/bin/whatsapp-node all", "ExecStart=/bin/true", 1)
	if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
		faults.add(unitFile, "%v", err)
		return
	}
	verify := exec.Command("systemd-analyze", "verify", "--man=no", copied)
	verify.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=warning")
	out, err := verify.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, filepath.Base(unitFile)) { // others are about the machine's own units
			faults.add(unitFile, "%s", strings.TrimSpace(line))
		}
	}
	if _, missing := exec.LookPath("systemd-analyze"); missing != nil {
		faults.add(unitFile, "systemd-analyze is missing: sudo apt-get install systemd")
	}
	_ = err // it also speaks for the machine's own units
	security := exec.Command("systemd-analyze", "security", "--offline=yes", fmt.Sprintf("--threshold=%d", mostExposure), "--no-pager", copied)
	if out, err := security.CombinedOutput(); err != nil {
		last := bytes.TrimSpace(out)
		faults.add(unitFile, "systemd-analyze finds it too exposed: %s", last[bytes.LastIndexByte(last, '\n')+1:])
	}
}

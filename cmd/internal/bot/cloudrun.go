package bot

import "whatsappnode/adapters/settings"

// cloudRunWarnings says what of the settings does not fit Cloud Run, which names the
// service in K_SERVICE (Cloud Run, "Container runtime contract"). Worker pools have no
// such variable and always have their CPU.
func cloudRunWarnings(cfg Config, getenv settings.Getenv) (out []string) {
	if getenv("K_SERVICE") == "" {
		return nil
	}
	if cfg.Role != roleServe && !cfg.CPUAlwaysOn {
		out = append(out, "with request-based billing the CPU is withdrawn after each webhook's 200, so that answers come late or not at all: "+
			"choose instance-based billing and state it with CPU_ALWAYS_ON=true, or ROLE=serve beside a worker pool")
	}
	if cfg.storeKind() == storeEmbedded {
		out = append(out, "the files of an instance vanish with it, and with them every message that was acknowledged: set REDIS_URL")
	}
	return out
}

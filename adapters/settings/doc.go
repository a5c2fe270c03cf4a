// Package settings reads configuration from environment variables.
//
// A configuration is a struct whose fields carry tags; adapters own their part
// and cmd composes them:
//
//	type Config struct {
//		APIKey  settings.Secret `env:"API_KEY,required" doc:"Key of the Gemini API."`
//		Timeout time.Duration   `env:"TIMEOUT" envDefault:"30s" validate:"min=1s,max=5m" doc:"Longest wait for an answer."`
//	}
//	type All struct {
//		Gemini gemini.Config `envPrefix:"GEMINI_"`
//	}
//
// [Load] fills it and reports every fault at once, by the name of the variable.
// Any variable X can be given as X_FILE, the path of a file with the value. A
// variable that is set to nothing counts as not set. [Describe] lists the
// variables, so that documents can be made from the same struct and tested
// against it.
//
// Nothing here puts a value into an error: a secret may have been pasted into the
// wrong variable.
package settings

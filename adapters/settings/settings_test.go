package settings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"whatsappnode/adapters/settings"
)

type vendor struct {
	APIKey  settings.Secret `env:"API_KEY" doc:"Key of the vendor."`
	Timeout time.Duration   `env:"TIMEOUT" envDefault:"30s" validate:"min=1s,max=5m" doc:"Longest wait."`
	Upload  settings.Bytes  `env:"UPLOAD" envDefault:"4MiB" validate:"minsize=1KiB,maxsize=16MiB"`
}

type config struct {
	Listen    string           `env:"LISTEN_ADDR" envDefault:"127.0.0.1:0" validate:"listen"`
	Level     string           `env:"LOG_LEVEL" envDefault:"info" validate:"oneof=debug info warn error" doc:"How much is logged."`
	Token     settings.Secret  `env:"WHATSAPP_ACCESS_TOKEN,required" doc:"Token of the Graph API."`
	AppSecret settings.Source  `env:"WHATSAPP_APP_SECRET,required"`
	Old       settings.Secrets `env:"OLD_SECRETS"`
	Languages settings.List    `env:"LANGUAGES" envDefault:"en, de" validate:"dive,min=2"`
	Workers   int              `env:"WORKERS" envDefault:"8" validate:"min=1,max=1000"`
	Strict    bool             `env:"STRICT"`
	Heat      float64          `env:"HEAT" validate:"gte=0,lte=2"`
	Prompt    string           `env:"SYSTEM_PROMPT"`
	Room      settings.Bytes   `env:"ROOM" envDefault:"1KiB" validate:"min=1024"`
	A         vendor           `envPrefix:"A_"`
	B         vendor           `envPrefix:"B_"`
}

func (c *config) Check() error {
	if c.A.APIKey == "" && c.B.APIKey == "" {
		return &settings.Fault{Var: "A_API_KEY", Problem: "or B_API_KEY is required"}
	}
	return nil
}

func env(pairs ...string) settings.Getenv {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func good(more ...string) settings.Getenv {
	return env(append([]string{"WHATSAPP_ACCESS_TOKEN", "tok", "WHATSAPP_APP_SECRET", "sec", "A_API_KEY", "key"}, more...)...)
}

func TestLoad(t *testing.T) {
	var c config
	require.NoError(t, settings.Load(good("LOG_LEVEL", "", "LANGUAGES", " pt-BR ,, en", "B_TIMEOUT", "2m", "B_UPLOAD", "512KB",
		"STRICT", "true", "HEAT", "0.5", "OLD_SECRETS", "one, two,", "SYSTEM_PROMPT_FILE", file(t, "Be kind.\nAnd brief.\r\n\n")), &c))
	assert.Equal(t, "info", c.Level, "a variable set to nothing is not set")
	assert.Equal(t, settings.List{"pt-BR", "en"}, c.Languages)
	assert.Equal(t, 30*time.Second, c.A.Timeout)
	assert.Equal(t, 2*time.Minute, c.B.Timeout)
	assert.Equal(t, settings.Bytes(4<<20), c.A.Upload)
	assert.Equal(t, settings.Bytes(512_000), c.B.Upload)
	assert.True(t, c.Strict)
	assert.InDelta(t, 0.5, c.Heat, 0)
	assert.Equal(t, "tok", c.Token.Reveal())
	assert.Equal(t, "sec", c.AppSecret.Current())
	assert.Equal(t, "Be kind.\nAnd brief.", c.Prompt)
	require.Len(t, c.Old, 2)
	assert.Equal(t, "two", c.Old[1].Reveal())
}

func TestLoadListsAllFaults(t *testing.T) {
	const marker = "s3cr3t-value"
	var c config
	err := settings.Load(env(
		"LISTEN_ADDR", "127.0.0.1:99999", "LOG_LEVEL", marker, "WORKERS", "0", "HEAT", "9", "STRICT", marker, "LANGUAGES", "x",
		"A_TIMEOUT", "10m", "B_TIMEOUT", "30", "A_UPLOAD", "4096", "B_UPLOAD", "1GiB",
		"SYSTEM_PROMPT", marker, "SYSTEM_PROMPT_FILE", marker, "WHATSAPP_APP_SECRET_FILE", "/"+marker, "B_API_KEY_FILE", file(t, "\n"),
	), &c)
	require.Error(t, err)
	var faults settings.Faults
	require.ErrorAs(t, err, &faults)
	got := map[string]string{}
	for _, f := range faults {
		got[f.Var] = f.Problem
	}
	assert.Equal(t, map[string]string{
		"LISTEN_ADDR":              `must be an address such as "127.0.0.1:8080"`,
		"LOG_LEVEL":                "must be one of debug, info, warn, error",
		"WORKERS":                  "must be at least 1",
		"HEAT":                     "must be at most 2",
		"STRICT":                   "must be true or false",
		"LANGUAGES":                "must be at least 2 characters long",
		"A_TIMEOUT":                "must be at most 5m",
		"B_TIMEOUT":                `lacks its unit: a duration carries its unit, such as "30s"`,
		"A_UPLOAD":                 `is not understood: a size carries its unit, such as "4MiB" or "512KB"`,
		"B_UPLOAD":                 "must be at most 16MiB",
		"SYSTEM_PROMPT":            "and SYSTEM_PROMPT_FILE are both set; keep one",
		"WHATSAPP_APP_SECRET_FILE": "names a file that does not exist",
		"WHATSAPP_ACCESS_TOKEN":    "is required",
		"B_API_KEY_FILE":           "names an empty file",
		"A_API_KEY":                "or B_API_KEY is required",
	}, got)
	assert.NotContains(t, err.Error(), marker)
	assert.Contains(t, err.Error(), "\n  WORKERS must be at least 1")
}

func TestLoadPassesOnOtherErrors(t *testing.T) {
	var bad struct {
		N int `env:"N" envDefault:"many"`
	}
	assert.ErrorContains(t, settings.Load(env(), &bad), "default of N")
	var c picky
	assert.ErrorIs(t, settings.Load(env(), &c), errPicky)
}

type picky struct{}

var errPicky = errors.New("not today")

func (*picky) Check() error { return errors.Join(errPicky, nil) }

func TestOneVariableForSeveralFields(t *testing.T) {
	type part struct {
		Key  settings.Secret `env:"KEY"`
		Wait time.Duration   `env:"WAIT" validate:"max=1s"`
	}
	var c struct {
		Ear, Voice part
		Mind       struct {
			Key settings.Secret `env:"KEY,required"`
		}
	}
	require.NoError(t, settings.Load(env("KEY", "k"), &c))
	assert.Equal(t, []string{"k", "k", "k"}, []string{c.Ear.Key.Reveal(), c.Voice.Key.Reveal(), c.Mind.Key.Reveal()})
	vars := settings.Describe(c)
	require.Len(t, vars, 2)
	assert.True(t, vars[0].Required)
	assert.EqualError(t, settings.Load(env("KEY", "k", "WAIT", "2s"), &c), "configuration:\n  WAIT must be at most 1s")
}

func TestSecretsAreNeverShown(t *testing.T) {
	const marker = "s3cr3t"
	var c config
	require.NoError(t, settings.Load(env("WHATSAPP_ACCESS_TOKEN", marker, "WHATSAPP_APP_SECRET", marker, "OLD_SECRETS", marker+","+marker,
		"A_API_KEY", marker, "B_API_KEY_FILE", file(t, marker)), &c))
	require.Equal(t, marker, c.B.APIKey.Reveal())
	pointer := &c.Token

	var out bytes.Buffer
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
		fmt.Fprintf(&out, form+"\n", c)
		fmt.Fprintf(&out, form+"\n", &c)
		fmt.Fprintf(&out, form+"\n", c.Token)
		fmt.Fprintf(&out, form+"\n", c.AppSecret)
		fmt.Fprintf(&out, form+"\n", c.Old)
		fmt.Fprintf(&out, form+"\n", map[settings.Secret]*settings.Secret{c.Token: nil})
	}
	fmt.Fprintln(&out, c.Token.String(), c.AppSecret.String(), c.Token.GoString(), c.AppSecret.GoString(), pointer)
	require.NoError(t, json.NewEncoder(&out).Encode(c))
	for _, enc := range []zapcore.Encoder{
		zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
	} {
		log := zap.New(zapcore.NewCore(enc, zapcore.AddSync(&out), zap.DebugLevel))
		log.Info("config", zap.Any("c", c), zap.Any("p", &c), zap.Any("t", c.Token), zap.Any("s", c.AppSecret), zap.Any("o", c.Old),
			zap.Stringer("r", c.Token), zap.Reflect("f", c.AppSecret), zap.Any("list", []settings.Secret{c.Token}))
		log.Sugar().Infow("config", "c", c, "t", c.Token)
		log.Sugar().Infof("%v %+v", c, c.AppSecret)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "c", c, "t", c.Token, "s", c.AppSecret)
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "c", c, "t", c.Token, "s", c.AppSecret)
	fmt.Fprintln(&out, errors.New(fmt.Sprint("boom ", c.Token)))

	assert.NotContains(t, out.String(), marker)
	assert.NotContains(t, out.String(), fmt.Sprintf("%x", marker))
	assert.Contains(t, out.String(), "[redacted]")
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]settings.Bytes{
		"4MiB": 4 << 20, "512KB": 512_000, "1 GiB": 1 << 30, "10b": 10, " 3kib ": 3 << 10, "0B": 0, "2TiB": 2 << 40, "1TB": 1e12, "7MB": 7e6, "5GB": 5e9,
	} {
		got, err := settings.ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := settings.ParseBytes(got.String())
		require.NoError(t, err, got.String())
		assert.Equal(t, got, again)
	}
	for _, text := range []string{"", "4096", "0", "MiB", "1.5MiB", "-1KB", "4 Mi", "4M", "99999999999TiB", "1e3KB", "٣KB", "4KiB4KiB"} {
		_, err := settings.ParseBytes(text)
		assert.Error(t, err, text)
	}
	assert.Equal(t, "4MiB", settings.Bytes(4<<20).String())
	assert.Equal(t, "1025B", settings.Bytes(1025).String())
	_, err := settings.ParseBytes("4096")
	assert.ErrorContains(t, err, "a size carries its unit")
}

func TestDescribe(t *testing.T) {
	vars := settings.Describe(&config{})
	byName := map[string]settings.Var{}
	for _, v := range vars {
		byName[v.Name] = v
	}
	assert.Equal(t, "LISTEN_ADDR", vars[0].Name, "in the order of the fields")
	require.Len(t, vars, 17)
	public := func(name string) [6]any {
		v := byName[name]
		return [6]any{v.Type, v.Default, v.Required, v.Secret, v.Rule, v.Doc}
	}
	for name, want := range map[string][6]any{
		"WHATSAPP_ACCESS_TOKEN": {"secret", "", true, true, "", "Token of the Graph API."},
		"WHATSAPP_APP_SECRET":   {"secret", "", true, true, "", ""},
		"OLD_SECRETS":           {"secret", "", false, true, "", ""},
		"LOG_LEVEL":             {"text", "info", false, false, "one of debug, info, warn, error", "How much is logged."},
		"B_TIMEOUT":             {"duration", "30s", false, false, "at least 1s, at most 5m", "Longest wait."},
		"B_UPLOAD":              {"size", "4MiB", false, false, "at least 1KiB, at most 16MiB", ""},
		"LANGUAGES":             {"list", "en, de", false, false, "each item: at least 2 characters long", ""},
		"WORKERS":               {"number", "8", false, false, "at least 1, at most 1000", ""},
		"ROOM":                  {"size", "1KiB", false, false, "at least 1KiB", ""},
		"STRICT":                {"yes/no", "", false, false, "", ""},
	} {
		assert.Equal(t, want, public(name), name)
	}
	assert.Equal(t, "B_API_KEY_FILE", byName["B_API_KEY"].FileName())
	assert.Panics(t, func() { settings.Describe(7) })
}

func TestUnknown(t *testing.T) {
	got := settings.Unknown([]string{
		"WHATSAPP_ACCES_TOKEN=marker", "WHATSAPP_ACCESS_TOKEN=x", "WHATSAPP_APP_SECRET_FILE=/x", "whatsapp_app_secret=x",
		"WHATSAPP_SOMETHING_ELSE=marker", "PATH=/bin", "A_API_KEYS=x", "A_=x", "ODD",
	}, settings.Describe(config{}), []string{"WHATSAPP_", "A_"})
	var lines []string
	for _, s := range got {
		lines = append(lines, s.String())
	}
	assert.Equal(t, []string{
		"A_ is not a setting",
		"A_API_KEYS is not a setting; did you mean A_API_KEY?",
		"WHATSAPP_ACCES_TOKEN is not a setting; did you mean WHATSAPP_ACCESS_TOKEN?",
		"WHATSAPP_SOMETHING_ELSE is not a setting",
		"whatsapp_app_secret is not a setting; did you mean WHATSAPP_APP_SECRET?",
	}, lines)
}

func TestDotEnv(t *testing.T) {
	path := file(t, "# development\nWHATSAPP_ACCESS_TOKEN=from-file\nLOG_LEVEL=debug\nSYSTEM_PROMPT='Be kind.'\nA_API_KEY_FILE=/nowhere\nWHATSAPP_APP_SECRET=sec\n")
	vars, err := settings.ReadDotEnv(path)
	require.NoError(t, err)
	var c config
	require.NoError(t, settings.Load(settings.Overlay(env("LOG_LEVEL", "warn", "A_API_KEY", "real", "SYSTEM_PROMPT_FILE", file(t, "Be brief.")), vars), &c))
	assert.Equal(t, "from-file", c.Token.Reveal())
	assert.Equal(t, "warn", c.Level, "the real environment wins")
	assert.Equal(t, "real", c.A.APIKey.Reveal(), "over the other form too")
	assert.Equal(t, "Be brief.", c.Prompt)

	vars, err = settings.ReadDotEnv(filepath.Join(t.TempDir(), "missing"))
	require.NoError(t, err)
	assert.Empty(t, vars)
	_, err = settings.ReadDotEnv(file(t, "s3cr3t without an equals sign\n"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cr3t")
}

package offline_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/offline"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// without finds every program except the named ones.
func without(names ...string) func(string) (string, error) {
	return func(program string) (string, error) {
		for _, n := range names {
			if n == program {
				return "", exec.ErrNotFound
			}
		}
		return exec.LookPath(program)
	}
}

func TestProbeNamesThePackages(t *testing.T) {
	for _, c := range []struct {
		name    string
		cfg     offline.Config
		want    offline.Availability
		install string
	}{
		{"everything", engines, offline.Availability{STT: true, TTS: true, English: true, Others: true}, ""},
		{
			"no pocketsphinx",
			offline.Config{LookPath: without("pocketsphinx_continuous")},
			offline.Availability{TTS: true, English: true, Others: true, Missing: []string{"pocketsphinx"}},
			"apt-get install pocketsphinx",
		},
		{
			"no model",
			offline.Config{LookPath: exec.LookPath, ModelDir: t.TempDir()},
			offline.Availability{TTS: true, English: true, Others: true, Missing: []string{"pocketsphinx-en-us"}},
			"apt-get install pocketsphinx-en-us",
		},
		{
			"no flite",
			offline.Config{LookPath: without("flite")},
			offline.Availability{STT: true, TTS: true, English: true, Others: true, Missing: []string{"flite"}},
			"apt-get install flite",
		},
		{
			"no espeak-ng",
			offline.Config{LookPath: without("espeak-ng")},
			offline.Availability{STT: true, TTS: true, English: true, Missing: []string{"espeak-ng"}},
			"apt-get install espeak-ng",
		},
		{
			"no voice",
			offline.Config{LookPath: without("espeak-ng", "flite")},
			offline.Availability{STT: true, Missing: []string{"espeak-ng", "flite"}},
			"apt-get install espeak-ng flite",
		},
		{
			"no encoder",
			offline.Config{LookPath: without("opusenc")},
			offline.Availability{STT: true, Missing: []string{"opus-tools"}},
			"apt-get install opus-tools",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.cfg.Probe()
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.install, got.Hint())
			_, err := offline.NewSTT(c.cfg)
			assert.Equal(t, c.want.STT, err == nil)
			_, err = offline.NewTTS(c.cfg)
			assert.Equal(t, c.want.TTS, err == nil)
		})
	}
	assert.False(t, offline.Probe(without("opusenc")).TTS)
}

func TestConstructorsNameThePackage(t *testing.T) {
	_, err := offline.NewSTT(offline.Config{LookPath: without("pocketsphinx_continuous")})
	assert.ErrorContains(t, err, "apt-get install pocketsphinx pocketsphinx-en-us")
	_, err = offline.NewSTT(offline.Config{LookPath: exec.LookPath, ModelDir: t.TempDir()})
	assert.ErrorContains(t, err, "apt-get install pocketsphinx-en-us")
	_, err = offline.NewTTS(offline.Config{LookPath: without("opusenc")})
	assert.ErrorContains(t, err, "apt-get install opus-tools")
	_, err = offline.NewTTS(offline.Config{LookPath: without("flite", "espeak-ng")})
	assert.ErrorContains(t, err, "apt-get install flite espeak-ng")
	_, err = offline.NewTTS(offline.Config{})
	assert.Error(t, err)
}

func TestVoicesByLanguage(t *testing.T) {
	for _, c := range []struct{ language, voice string }{
		{"", "en-us"},
		{"en", "en-us"},
		{"en-GB", "en-gb"},
		{"en_US", "en-us"},
		{"en-CA", "en-us"},
		{"de", "de"},
		{"de-AT", "de"},
		{"pt-BR", "pt-br"},
		{"pt", "pt"},
		{"pt-AO", "pt"},
		{"es-MX", "es-419"},
		{"es-ES", "es"},
		{"fr-CA", "fr-fr"},
		{"zh-Hans-CN", "cmn"},
		{"zh-Hant-HK", "yue"},
		{"yue", "yue"},
		{"iw", "he"},
		{"no", "nb"},
		{"sr-Latn-RS", "sr"},
		{"tlh", ""},
		{"fil", ""},
		{"x-klingon", ""},
		{"de;rm -rf", ""},
		{"-", ""},
	} {
		t.Run(c.language, func(t *testing.T) {
			args := filepath.Join(t.TempDir(), "args")
			spy := script(t, `printf '%s\n' "$@" >`+args+`; cat >/dev/null; exit 1`)
			voice := newTTS(t, offline.Config{LookPath: func(name string) (string, error) {
				if name == "espeak-ng" {
					return spy, nil
				}
				return without("flite")(name)
			}})
			_, err := voice.Synthesize(t.Context(), "hello", ports.TTSOptions{Language: c.language})
			if c.voice == "" {
				assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
				assert.NoFileExists(t, args)
				return
			}
			told, err := os.ReadFile(args)
			require.NoError(t, err)
			assert.Equal(t, []string{"-v", c.voice, "-b", "1", "--stdin", "--stdout"}, strings.Fields(string(told)))
		})
	}
}

// TestEspeakHasEveryVoice speaks one word in each language the map promises.
func TestEspeakHasEveryVoice(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "espeak-ng", "--voices").Output()
	require.NoError(t, err)
	known := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 {
			known[f[1]] = true
		}
	}
	for _, name := range offline.EspeakVoices() {
		assert.True(t, known[name], "espeak-ng has no voice %q", name)
	}
}

func TestOtherLanguagesAreSpoken(t *testing.T) {
	voice := newTTS(t, engines)
	for language, text := range map[string]string{"de": "Guten Morgen", "pt-BR": "bom dia", "hi": "नमस्ते", "zh": "你好"} {
		clip, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{Language: language})
		require.NoError(t, err, language)
		assert.Greater(t, measure(t, clip), 300*time.Millisecond, language)
	}
	_, err := newTTS(t, offline.Config{LookPath: without("espeak-ng")}).Synthesize(t.Context(), "Guten Morgen", ports.TTSOptions{Language: "de"})
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
}

func TestVoiceChoice(t *testing.T) {
	voice := newTTS(t, engines)
	said := map[string]bool{}
	for _, opt := range []ports.TTSOptions{{}, {Voice: "rms"}, {Language: "de"}, {Language: "de", Voice: "f2"}} {
		clip, err := voice.Synthesize(t.Context(), "Hallo", opt)
		require.NoError(t, err)
		said[string(clip.Bytes())] = true
	}
	assert.Len(t, said, 4, "every choice sounds different")
	for _, opt := range []ports.TTSOptions{{Voice: "nobody"}, {Voice: "/etc/passwd"}, {Language: "de", Voice: "../x"}, {Language: "de", Voice: "slt"}} {
		_, err := voice.Synthesize(t.Context(), "Hallo", opt)
		assert.Equal(t, ports.KindUnsupported, ports.KindOf(err), opt)
	}
}

func TestSameTextSameBytes(t *testing.T) {
	voice := newTTS(t, engines)
	var clips [2]domain.Audio
	for i := range clips {
		var err error
		clips[i], err = voice.Synthesize(t.Context(), "Your order has arrived.", ports.TTSOptions{})
		require.NoError(t, err)
	}
	assert.True(t, bytes.Equal(clips[0].Bytes(), clips[1].Bytes()))
	info, err := oggopus.Inspect(clips[0].Bytes())
	require.NoError(t, err)
	assert.Equal(t, oggopus.Vendor, info.Vendor)
	assert.Empty(t, info.Comments, "the encoder's remarks are gone")
}

func TestTextCannotDoAnythingButBeSpoken(t *testing.T) {
	dir := t.TempDir()
	voice := newTTS(t, offline.Config{LookPath: exec.LookPath, TempDir: dir})
	for _, text := range []string{"-o /tmp/evil.wav", "`touch " + dir + "/evil`", "$(touch " + dir + "/evil) five", "a\x00b\x1b[2Jc\xff", "<speak>five</speak>", "/etc/passwd"} {
		for _, language := range []string{"en", "de"} {
			clip, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{Language: language})
			require.NoError(t, err, "%q in %s", text, language)
			assert.Greater(t, measure(t, clip), 100*time.Millisecond)
		}
	}
	for _, text := range []string{"?!", "👍", "…"} {
		_, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{})
		assert.Equal(t, ports.KindInvalid, ports.KindOf(err), text)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing lies about")
}

func TestNothingLiesAboutAfterAFailure(t *testing.T) {
	dir := t.TempDir()
	for _, body := range []string{"cat >/dev/null; exit 1", "exit 0", "sleep 600 &\nwait"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := newTTS(t, offline.Config{LookPath: only("flite", script(t, body)), TempDir: dir}).Synthesize(ctx, "hello", ports.TTSOptions{})
		cancel()
		assert.Error(t, err)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestEngineGetsNoSecretsAndNoWordsInItsArguments(t *testing.T) {
	t.Setenv("WHATSAPP_ACCESS_TOKEN", "very-secret")
	seen := filepath.Join(t.TempDir(), "seen")
	spy := script(t, `{ env; echo "$0" "$@"; pwd; } >`+seen+`; cat >/dev/null; exit 1`)
	_, err := newTTS(t, offline.Config{LookPath: only("flite", spy)}).Synthesize(t.Context(), "marmalade", ports.TTSOptions{})
	require.Error(t, err)
	got, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.Contains(t, string(got), "-voice slt")
	assert.NotContains(t, string(got), "very-secret")
	assert.NotContains(t, string(got), "marmalade")
}

func TestCancelKillsTheWholeProcessGroup(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pid")
	engine := script(t, "sleep 600 &\necho $! >"+pids+".new; mv "+pids+".new "+pids+"\nwait")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", engine)}).Transcribe(ctx, silence(t, time.Second), ports.STTOptions{})
		assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
	})
	var raw []byte
	require.Eventually(t, func() (ok bool) {
		var err error
		raw, err = os.ReadFile(pids)
		return err == nil
	}, 30*time.Second, 5*time.Millisecond)
	cancel()
	wg.Wait()
	pid := strings.TrimSpace(string(raw))
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 30*time.Second, 5*time.Millisecond, "what the engine started lives on")
}

func TestEngineProcessesAreBounded(t *testing.T) {
	dir := t.TempDir()
	engine := script(t, `f=`+dir+`/$$; : >$f; sleep 0.05; ls `+dir+` | wc -l; rm $f; cat >/dev/null`)
	ear := newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", engine), Processes: 2})
	clip := silence(t, 100*time.Millisecond)
	var wg sync.WaitGroup
	var most atomic.Int64
	for range 8 {
		wg.Go(func() {
			tr, err := ear.Transcribe(t.Context(), clip, ports.STTOptions{})
			assert.NoError(t, err)
			n := int64(len(tr.Text)) // one digit
			if n == 1 {
				n = int64(tr.Text[0] - '0')
			}
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, most.Load(), int64(2))
	assert.GreaterOrEqual(t, most.Load(), int64(1))
}

func TestWaitingForASlotRespectsTheContext(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	engine := script(t, "echo started >"+fifo+"; sleep 600 & wait")
	ear := newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", engine), Processes: 1})
	clip := silence(t, 100*time.Millisecond)
	hold, release := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = ear.Transcribe(hold, clip, ports.STTOptions{}) })
	_, err := os.ReadFile(fifo) // the slot is taken
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = ear.Transcribe(ctx, clip, ports.STTOptions{})
	assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
	release()
	wg.Wait()
}

func TestEarTakesOnlyEnglish(t *testing.T) {
	ear := newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", script(t, "cat >/dev/null; printf ' a b \\nc \\n'"))})
	for _, c := range []struct {
		languages []string
		want      string
	}{{nil, "en"}, {[]string{"en"}, "en"}, {[]string{"de", "en-GB"}, "en-GB"}, {[]string{"de", "fr"}, ""}} {
		tr, err := ear.Transcribe(t.Context(), silence(t, time.Second), ports.STTOptions{Languages: c.languages})
		if c.want == "" {
			assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, domain.Transcript{Text: "a b c", Language: c.want}, tr)
	}
}

// TestEarBringsSoundToItsRate looks at what reaches the engine.
func TestEarBringsSoundToItsRate(t *testing.T) {
	ear := newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", script(t, "wc -c"))})
	stereo := wav.Encode(make([]int16, 2*22050), 22050) // a second of two channels
	stereo[22], stereo[32] = 2, 4
	for _, clip := range []domain.Audio{
		silence(t, time.Second),
		audio(t, domain.MIMEWAV, wav.Encode(make([]int16, 8000), 8000)),
		audio(t, "audio/x-wav", wav.Encode(make([]int16, 44100), 44100)),
		audio(t, domain.MIMEWAV, stereo),
	} {
		tr, err := ear.Transcribe(t.Context(), clip, ports.STTOptions{})
		require.NoError(t, err)
		assert.Equal(t, "32000", tr.Text, "%s: bytes of one second at 16 kHz", clip.MIME())
	}
}

func TestNoiseIsNotHeard(t *testing.T) {
	ear := newSTT(t, engines)
	noise := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name  string
		level float64
		hum   float64
	}{{"faint hiss", 300, 0}, {"loud hiss", 3000, 0}, {"mains hum", 50, 3000}} {
		pcm := make([]int16, 3*16000)
		for i := range pcm {
			pcm[i] = int16(c.level*noise.NormFloat64() + c.hum*math.Sin(2*math.Pi*50*float64(i)/16000))
		}
		tr, err := ear.Transcribe(t.Context(), audio(t, domain.MIMEWAV, wav.Encode(pcm, 16000)), ports.STTOptions{})
		require.NoError(t, err)
		assert.Empty(t, tr.Text, c.name)
	}
}

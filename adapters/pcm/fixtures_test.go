package pcm_test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/wav"
)

// fixture is an MP3 file under testdata and what was encoded.
type fixture struct {
	name     string
	rate     int
	channels int // of the source; the right one is silent
	lame     string
}

const fixtureSeconds = 1.0

// fixtures are the files that decode. Beside them lie tone.mp3, for the
// encoders' contract tests, and three of forms that are not read: mpeg25.mp3,
// layer2.mp3 and free.mp3.
var fixtures = []fixture{
	{"mpeg1-44100", 44_100, 1, "-m m -b 48"},
	{"mpeg1-48000", 48_000, 1, "-m m -b 64"},
	{"mpeg1-32000", 32_000, 1, "-m m -b 40"},
	{"mpeg1-stereo", 44_100, 2, "-m j -b 64"},
	{"mpeg1-checksum", 44_100, 1, "-m m -b 48 -p"},
	{"mpeg1-variable", 48_000, 1, "-m m -V 5"},
	{"mpeg2-24000", 24_000, 1, "-m m -b 32"},
	{"mpeg2-16000", 16_000, 1, "-m m -b 24"},
	// go-mp3 alone gets all of these wrong: 22,050 Hz needs padding.
	{"mpeg2-22050", 22_050, 1, "-m m -b 32"},
	{"mpeg2-22050-low", 22_050, 1, "-m m -b 16"},
	{"mpeg2-22050-high", 22_050, 1, "-m m -b 96"},
	{"mpeg2-22050-stereo", 22_050, 2, "-m s -b 32"},
	{"mpeg2-22050-checksum", 22_050, 1, "-m m -b 32 -p"},
	{"tagged", 22_050, 1, "-m m -b 32 --add-id3v2 --pad-id3v2-size 200 --tt title --ta artist"},
}

// voice is something like speech: a gliding tone with overtones, in syllables and
// with hisses between, so that an encoder spends its bits unevenly.
func voice(rate int) []int16 {
	out := make([]int16, int(fixtureSeconds*float64(rate)))
	phase, noise, held := 0.0, uint32(1), 0.0
	for i := range out {
		at := float64(i) / float64(rate)
		phase += 2 * math.Pi * (130 + 30*math.Sin(2*math.Pi*1.5*at)) / float64(rate)
		sum := 0.0
		for k := 1.0; k < 16; k++ {
			sum += math.Sin(k*phase) / k
		}
		noise = noise*1664525 + 1013904223
		held = 0.7*held + 0.3*(float64(noise>>8)/(1<<23)-1)
		syllable := math.Pow(math.Sin(2*math.Pi*2*at), 2)
		out[i] = int16(6000*sum*syllable + 2500*held*(1-syllable))
	}
	return out
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".mp3"))
	require.NoError(t, err)
	return data
}

// TestMakeFixtures writes the files under testdata again. It needs lame 3.100 and
// ffmpeg, which the other tests do not.
func TestMakeFixtures(t *testing.T) {
	if os.Getenv("MAKE_MP3_FIXTURES") == "" {
		t.Skip("set MAKE_MP3_FIXTURES=1 to make the MP3 files again")
	}
	encode := func(name string, samples []int16, rate, channels int, program string, args ...string) {
		source := wav.Encode(samples, rate)
		if channels == 2 {
			both := make([]int16, 0, 2*len(samples))
			for _, s := range samples {
				both = append(both, s, 0)
			}
			source = wav.Encode(both, rate)
			source[22], source[32] = 2, 4
		}
		in := filepath.Join(t.TempDir(), "in.wav")
		require.NoError(t, os.WriteFile(in, source, 0o600))
		for i := range args {
			args[i] = strings.NewReplacer("IN", in, "OUT", filepath.Join("testdata", name+".mp3")).Replace(args[i])
		}
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, f := range fixtures {
		encode(f.name, voice(f.rate), f.rate, f.channels, "lame", append(strings.Fields("--quiet --resample "+strconv.FormatFloat(float64(f.rate)/1000, 'f', -1, 64)+" "+f.lame), "IN", "OUT")...)
	}
	tone := make([]int16, 24_000)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/24_000))
	}
	encode("tone", tone, 24_000, 1, "lame", "--quiet", "--resample", "24", "-m", "m", "-b", "32", "IN", "OUT")
	encode("mpeg25", voice(8000)[:4000], 8000, 1, "lame", "--quiet", "-m", "m", "-b", "8", "IN", "OUT")
	encode("free", voice(16_000)[:8000], 16_000, 1, "lame", "--quiet", "--resample", "16", "-m", "m", "-b", "20", "--freeformat", "IN", "OUT")
	encode("layer2", voice(16_000)[:8000], 16_000, 1, "ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", "IN", "-c:a", "mp2", "-b:a", "16k", "-f", "mp2", "OUT")
}

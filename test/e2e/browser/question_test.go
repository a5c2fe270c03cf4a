package browser_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// clock is how the page writes a length.
var clock = regexp.MustCompile(`^(\d+):(\d\d)$`)

func TestATypedQuestionIsAnsweredByAVoiceNote(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Ada")
	p.remember("typing", p.in(`[data-testid=typing]`))
	p.write("My brother works in a hospital in the city")
	p.until("the own bubble", p.exists(mine+`[data-type=text]`))
	require.Contains(t, value[string](p.tab, `document.querySelector('`+p.in(mine)+`').innerText`), "My brother works in a hospital in the city")
	p.ticks(mine, "read")

	id, file := p.note(1)
	require.Equal(t, []string{"shown"}, p.seen("typing"), "the business was seen typing, once")
	require.False(t, value[bool](p.tab, p.exists(`[data-testid=typing]`)), "and is not any more")
	note := byID(id)
	length := clock.FindStringSubmatch(value[string](p.tab, `document.querySelector('`+p.in(note)+` [data-testid=voice-duration]').textContent`))
	require.NotNil(t, length, "the voice note shows its length")
	seconds, err := strconv.Atoi(length[2])
	require.NoError(t, err)
	require.Positive(t, seconds)
	require.Greater(t, value[int](p.tab, `new Set([...document.querySelector('`+p.in(note)+` .voice-wave path').getAttribute("d").matchAll(/V([0-9.]+)/g)].map((m) => m[1])).size`), 5, "the waveform is not flat")
	requireWords(t, hear(t, file), "brother", "hospital", "city")
	p.ticks(note, "read")

	p.remember("player", p.in(note)+` .voice`)
	p.click(p.in(note) + ` [data-testid=voice-play]`)
	p.until("it plays", p.exists(note+` .voice[data-state=playing]`))
	for _, speed := range []string{"1.5×", "2×"} { // a test need not listen at leisure
		p.click(p.in(note) + ` .voice-speed`)
		p.until("the speed is "+speed, `document.querySelector('`+p.in(note)+` .voice-speed').textContent === "`+speed+`"`)
	}
	p.ticks(note, "played")
	require.Contains(t, p.turnWith("played").Stages, "read")
	p.until("it has ended", p.exists(note+` .voice[data-state=ended]`))
	states := p.seen("player") // the browser pauses at the end, so "paused" may stand in between
	require.Equal(t, []string{"new", "playing"}, states[:2])
	require.Equal(t, "ended", states[len(states)-1])
}

func TestTheMicrophoneIsHeard(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Grace")
	p.click(p.in(`[data-testid=composer-mic]`))
	long := int(math.Ceil(shared.browser.speaking.Seconds())) + 1
	p.until("all has been said", fmt.Sprintf(`(() => {
		const [, m, s] = document.querySelector('%s')?.textContent.match(/^(\d+):(\d+)$/) ?? [0, 0, 0];
		return m * 60 + Number(s) >= %d;
	})()`, p.in(`[data-testid=record-clock]`), long))
	p.click(p.in(`[data-testid=record-send]`))
	p.ticks(mine+`[data-type=audio][data-voice=true]`, "read")
	p.until("the own waveform is drawn", p.exists(mine+` .voice[data-wave=ready]`))

	own := p.ground.message(t, p.user, value[string](p.tab, `document.querySelector('`+p.in(mine)+`').dataset.id`))
	recorded := p.ground.get(t, "/sim/files/"+own.Media.ID)
	requireVoiceNote(t, recorded)
	requireWords(t, hear(t, recorded), "opening", "hours", "saturday")
	_, file := p.note(1)
	requireWords(t, hear(t, file), "opening", "hours", "saturday")
}

func TestARecordingCanBeDiscarded(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Mary")
	p.click(p.in(`[data-testid=composer-mic]`))
	p.click(p.in(`[data-testid=record-cancel]`))
	p.until("the composer is back", focus("composer-mic"))
	p.write("Never mind") // by the time of its answer a recording would be there too
	p.answerID(notes, 1)
	require.Equal(t, 1, value[int](p.tab, `document.querySelectorAll('`+p.in(mine)+`').length`))
}

func TestASpokenFileIsHeard(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Edith")
	recording, err := speak(t.TempDir(), "complaint", spokenInFile)
	require.NoError(t, err)
	p.attach(recording, "send-as-voice")
	p.ticks(mine+`[data-type=audio][data-voice=true]`, "read")
	_, file := p.note(1)
	requireWords(t, hear(t, file), "damaged", "money", "back")
}

// span is how the page writes the time of a stage.
var span = regexp.MustCompile(`^(\d+) ms$|^(\d+\.\d+) s$`)

func milliseconds(t *testing.T, text string) float64 {
	t.Helper()
	m := span.FindStringSubmatch(text)
	require.NotNil(t, m, "%q is not a time", text)
	if m[1] != "" {
		n, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		return n
	}
	n, err := strconv.ParseFloat(m[2], 64)
	require.NoError(t, err)
	return n * 1000
}

func TestTheTimelineShowsTheStagesInOrder(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Hedy")
	recording, err := speak(t.TempDir(), "question", spokenForTimeline)
	require.NoError(t, err)
	p.attach(recording, "send-as-voice")
	row := p.turnWith("read")
	want := []string{"received", "leased", "transcribed", "first_token", "answered", "spoken", "sending", "sent", "delivered", "read"}
	var found []string
	before := -1.0
	for i, stage := range row.Stages {
		at := milliseconds(t, row.Times[i])
		require.GreaterOrEqual(t, at, before, "%s comes after the stage before it", stage)
		before = at
		for _, w := range want {
			if stage == w {
				found = append(found, stage)
			}
		}
	}
	require.Equal(t, want, found)
	require.Equal(t, "read", row.Outcome)
	require.Zero(t, milliseconds(t, row.Times[0]))

	p.click(`[data-testid=timeline-turn]:first-child .turn-head`)
	table := value[string](p.tab, `document.querySelector("[data-testid=timeline-turn]:first-child table").innerText`)
	for _, word := range []string{"first token", "transcribed", "Took"} {
		require.Contains(t, table, word)
	}
	latency := value[string](p.tab, `document.querySelector("[data-testid=timeline-turn]:first-child .turn-head strong").textContent`)
	require.Positive(t, milliseconds(t, latency), "the time that the person waited stands at the top")
}

func TestAPictureIsAnsweredPolitely(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Ansel")
	p.attach(paint(t), "send-as-file")
	p.until("the picture is on the phone", p.exists(mine+`[data-type=image] img`))
	id := p.answerID(answers, 1)
	m := p.ground.message(t, p.user, id)
	require.Equal(t, "text", m.Type)
	require.True(t, strings.HasPrefix(m.Text, "Thanks for the picture."), m.Text)
	require.Contains(t, value[string](p.tab, `document.querySelector('`+p.in(answers)+`').innerText`), m.Text)
}

// paint makes a small picture.
func paint(t *testing.T) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		picture.Set(i%64, i/64, color.RGBA{uint8(i % 64 * 4), 120, uint8(i / 64 * 5), 255})
	}
	path := filepath.Join(t.TempDir(), "sunset.png")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, png.Encode(file, picture))
	return path
}

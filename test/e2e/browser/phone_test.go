package browser_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// phone is one person's phone in a tab.
type phone struct {
	*tab
	user string
}

// newPhone opens the shared playground at somebody who is new there.
func newPhone(t *testing.T, s size, name string) phone {
	t.Helper()
	ground := theGround(t)
	user := ground.person(t, name)
	w := newTab(t, s)
	w.show(ground, user)
	return w.phone(user)
}

func (w *tab) phone(user string) phone { return phone{w, user} }

// in makes a CSS selector that finds things on this phone only.
func (p phone) in(css string) string {
	return fmt.Sprintf(`[data-testid=phone][data-user=%q] %s`, p.user, css)
}

// exists is a JavaScript expression.
func (p phone) exists(css string) string { return exists(p.in(css)) }

func exists(css string) string { return `document.querySelector(` + strconv.Quote(css) + `) !== null` }

const (
	composer = `[data-testid=composer-text]`
	mine     = `[data-testid=bubble][data-direction="in"]`
	answers  = `[data-testid=bubble][data-direction="out"]`
	notes    = answers + `[data-voice=true]`
)

// write types a text and sends it with the button.
func (p phone) write(text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(p.in(composer)), text))
	p.click(p.in(`[data-testid=composer-send]`))
}

// attach chooses a file and presses a button of the dialog that asks what for.
func (p phone) attach(path, button string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(p.in(`[data-testid=file-input]`)), []string{path}))
	p.click(`dialog [data-testid=` + button + `]`)
}

// ticks waits until a message of one's own has reached a state.
func (p phone) ticks(bubble, state string) {
	p.t.Helper()
	p.until("the ticks say "+state, p.exists(bubble+` .ticks[data-state=`+state+`]`))
}

// answerID waits for the newest of so many answers and returns its id.
func (p phone) answerID(kind string, count int) string {
	p.t.Helper()
	all := fmt.Sprintf(`[...document.querySelectorAll(%q)]`, p.in(kind))
	p.until(fmt.Sprintf("answer number %d", count), all+`.length >= `+strconv.Itoa(count))
	require.Equal(p.t, count, value[int](p.tab, all+`.length`))
	return value[string](p.tab, all+`.at(-1).dataset.id`)
}

// note waits for a voice note that can be played, and returns its file.
func (p phone) note(count int) (id string, file []byte) {
	p.t.Helper()
	id = p.answerID(notes, count)
	p.until("the waveform is drawn", p.exists(byID(id)+` .voice[data-wave=ready]`))
	m := p.ground.message(p.t, p.user, id)
	require.True(p.t, m.Media.Voice)
	file = p.ground.get(p.t, "/sim/files/"+m.Media.ID)
	require.Len(p.t, file, m.Media.Size)
	requireVoiceNote(p.t, file)
	return id, file
}

func byID(id string) string { return fmt.Sprintf(`[data-testid=bubble][data-id=%q]`, id) }

// remember notes, from now on, whether something was ever on the screen, and the
// states a voice note went through: both can pass faster than a test looks.
func (w *tab) remember(name, css string) {
	w.t.Helper()
	require.True(w.t, value[bool](w, fmt.Sprintf(`(() => {
		const seen = (window.seen ??= {})[%[1]q] = [];
		const look = () => {
			const el = document.querySelector(%[2]q);
			const state = el ? el.dataset.state ?? "shown" : "";
			if (state && seen.at(-1) !== state) seen.push(state);
		};
		new MutationObserver(look).observe(document, {childList: true, subtree: true, attributes: true});
		look();
		return true;
	})()`, name, css)))
}

func (w *tab) seen(name string) []string {
	w.t.Helper()
	return value[[]string](w, fmt.Sprintf(`window.seen[%q]`, name))
}

// turn is one row of the timeline.
type turn struct {
	Outcome string
	Stages  []string
	Times   []string
}

// turnWith waits until the newest turn has a stage, and returns it.
func (w *tab) turnWith(stage string) turn {
	w.t.Helper()
	const newest = `[data-testid=timeline] [data-testid=timeline-turn]:first-child`
	w.until("the stage "+stage, exists(newest+` [data-stage=`+stage+`]`))
	return value[turn](w, `(() => {
		const row = document.querySelector("`+newest+`");
		const chips = [...row.querySelectorAll(".chip")];
		return {Outcome: row.dataset.outcome, Stages: chips.map((c) => c.dataset.stage), Times: chips.map((c) => c.querySelector("b").textContent)};
	})()`)
}

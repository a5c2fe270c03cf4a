package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func TestTwoPeopleSideBySideGetTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	left := newPhone(t, desktop, "Rosa")
	left.click(`[data-testid=add-user]`)
	left.do(chromedp.SendKeys(chromedp.CSS(`dialog [data-testid=person-name]`), "Nina"))
	left.click(`dialog [data-testid=person-add]`)
	const shown = `[...document.querySelectorAll("[data-testid=phone]")].map((p) => p.dataset.user)`
	left.until("the new person's phone is shown", shown+`.length === 1 && `+shown+`[0] !== "`+left.user+`"`)
	right := left.phone(value[[]string](left.tab, shown)[0])
	left.show(left.ground, left.user+","+right.user)
	left.do(chromedp.Reload())
	left.until("two phones are side by side", `document.body.dataset.ready === "true" && `+shown+`.length === 2`)

	left.write("I am hungry and I would like to eat a sandwich")
	right.write("The train to the airport was late again")
	_, toLeft := left.note(1)
	_, toRight := right.note(1)
	heardLeft, heardRight := hear(t, toLeft), hear(t, toRight)
	requireWords(t, heardLeft, "hungry", "eat", "sandwich")
	requireWords(t, heardRight, "train", "airport", "late")
	require.NotContains(t, heardLeft, "airport")
	require.NotContains(t, heardRight, "sandwich")
	require.Equal(t, 1, value[int](left.tab, `document.querySelectorAll('`+left.in(mine)+`').length`))
	require.Equal(t, 1, value[int](left.tab, `document.querySelectorAll('`+right.in(mine)+`').length`))
}

func TestAllCanBeDoneByKeyboard(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Katherine")
	p.tabTo("composer-text")
	p.press("Good morning" + kb.Enter)
	p.ticks(mine+`[data-type=text]`, "read")
	id, _ := p.note(1)
	require.True(t, value[bool](p.tab, focus("composer-text")), "one can go on writing")

	p.tabTo("composer-mic")
	p.press(kb.Enter)
	p.until("the recorder has the focus", focus("record-send"))
	p.until("it records", `!["", "0:00"].includes(document.querySelector("[data-testid=record-clock]")?.textContent ?? "")`)
	p.press(kb.Enter)
	p.ticks(mine+`[data-voice=true]`, "read")
	p.until("the composer is back", focus("composer-mic"))

	p.walk(focus("voice-play")+` && document.activeElement.closest("[data-testid=bubble]").dataset.id === "`+id+`"`, chromedp.KeyModifiers(chromedp.ModifierShift))
	p.press(kb.Enter)
	p.until("it plays", p.exists(byID(id)+` .voice[data-state=playing]`))
	p.press(kb.Enter)
	p.until("it pauses", p.exists(byID(id)+` .voice[data-state=paused]`))
}

func TestTheNoticesNameTheDemoEngines(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Alan")
	const notices = `[data-testid=notices]`
	p.do(chromedp.WaitVisible(chromedp.CSS(notices)))
	text := value[string](p.tab, `document.querySelector("`+notices+`").innerText`)
	for _, part := range []string{"Demo engines", "thinking", "hearing", "speaking", "LLM_PROVIDER", "STT_PROVIDER", "TTS_PROVIDER"} {
		require.Contains(t, text, part)
	}
	require.Contains(t, p.ground.stdout.text(), text, "the terminal says the same")
}

func TestAPhoneScreenIsWideEnough(t *testing.T) {
	t.Parallel()
	p := newPhone(t, pocket, "Dorothy")
	p.narrow("an empty chat")
	p.write("Incomprehensibilities-without-a-single-space-for-the-browser-to-break-at-" + "0123456789012345678901234567890123456789")
	p.note(1)
	p.narrow("a chat")
	p.click(p.in(`[data-testid=composer-mic]`))
	p.do(chromedp.WaitVisible(chromedp.CSS(p.in(`[data-testid=record-clock]`))))
	p.narrow("recording")
	p.click(p.in(`[data-testid=record-cancel]`))
	p.click(p.in(`[data-testid=panel-toggle]`))
	p.do(chromedp.WaitVisible(chromedp.CSS(`[data-testid=timeline]`)))
	p.narrow("the timeline")
	p.click(`#panel [aria-label="Close the panel"]`)
	p.click(p.in(`[aria-label="Back to the people"]`))
	p.do(chromedp.WaitVisible(chromedp.CSS(`[data-testid=user-list]`)))
	p.narrow("the people")
}

// narrow: nothing sticks out to the right, and nothing scrolls sideways.
func (p phone) narrow(what string) {
	p.t.Helper()
	require.Equal(p.t, int(pocket.width), value[int](p.tab, `innerWidth`))
	require.Empty(p.t, value[[]string](p.tab, `[...document.querySelectorAll("body, body *")]
		.filter((el) => el.checkVisibility() && !el.closest(".visually-hidden, .skip, svg, option"))
		.filter((el) => {
			const {left, right} = el.getBoundingClientRect();
			const {overflowX} = getComputedStyle(el);
			const wider = el.scrollWidth > el.clientWidth + 1;
			if (overflowX === "auto" || overflowX === "scroll") return wider;
			return Math.max(right, overflowX === "visible" && wider ? left + el.scrollWidth : 0) > innerWidth + 0.5;
		})
		.map((el) => el.tagName + "." + el.className)`), "too wide: %s", what)
	require.LessOrEqual(p.t, value[int](p.tab, `document.scrollingElement.scrollWidth`), int(pocket.width), what)
}

// TestThePageIsWatched: a page that complains is noticed, so that the other tests
// mean something when they notice nothing.
func TestThePageIsWatched(t *testing.T) {
	t.Parallel()
	p := newPhone(t, desktop, "Emmy")
	p.mayComplain = true
	require.Empty(t, p.complaints.list())
	require.True(t, value[bool](p.tab, `(() => {
		console.error("marker of the console");
		setTimeout(() => { throw new Error("marker of an exception"); });
		fetch("/sim/nothing-here");
		const script = document.createElement("script");
		script.textContent = "window.forbidden = true";
		document.body.append(script);
		return true;
	})()`))
	for _, marker := range []string{"marker of the console", "marker of an exception", "404", "content security policy: script-src"} {
		p.complains(marker)
	}
}

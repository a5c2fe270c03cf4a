package porttest

import (
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/ports"
)

// FilterHarness is what TestFilter needs.
type FilterHarness struct {
	New func(t *testing.T) ports.FilterPort
	// Hit is a text, in Language, of which the filter changes something; Bad is the part
	// of it that must not be left, and Finds the name of it.
	Hit, Bad, Language, Finds string
	// Fine is a text of which it changes nothing.
	Fine string
}

// TestFilter checks what ports.FilterPort promises.
func TestFilter(t *testing.T, h FilterHarness) {
	cases := map[string]func(t *testing.T, f ports.FilterPort){
		"ChangesWhatItIsFor": func(t *testing.T, f ports.FilterPort) {
			got, found := f.Filter(h.Hit, h.Language)
			require.NotContains(t, got, h.Bad)
			require.Equal(t, []string{h.Finds}, found)
		},
		"LeavesTheRestAlone": func(t *testing.T, f ports.FilterPort) {
			for _, text := range []string{h.Fine, "", " \n", "👍 ok", h.Fine + "\xff"} {
				for _, language := range []string{h.Language, "", "xx"} {
					got, found := f.Filter(text, language)
					require.Equal(t, text, got)
					require.Empty(t, found)
				}
			}
			got, _ := f.Filter(h.Fine+" "+h.Hit+" "+h.Fine, h.Language)
			require.Contains(t, got, h.Fine)
		},
		"TwiceIsOnce": func(t *testing.T, f ports.FilterPort) {
			once, _ := f.Filter(h.Hit, h.Language)
			twice, found := f.Filter(once, h.Language)
			require.Equal(t, once, twice)
			require.Empty(t, found)
		},
		"CountsEachPlace": func(t *testing.T, f ports.FilterPort) {
			_, found := f.Filter(h.Hit+".\n"+h.Hit, h.Language)
			require.Equal(t, []string{h.Finds, h.Finds}, found)
		},
		"UnknownLanguageIsLookedAtInAll": func(t *testing.T, f ports.FilterPort) {
			got, found := f.Filter(h.Hit, "")
			require.NotContains(t, got, h.Bad)
			require.NotEmpty(t, found)
		},
		"NamesHoldNothingOfTheText": func(t *testing.T, f ports.FilterPort) {
			_, found := f.Filter(h.Hit, h.Language)
			for _, name := range found {
				require.Regexp(t, `^[a-z_]+$`, name)
				require.NotContains(t, name, h.Bad)
			}
		},
		"AnswersInUTF8": func(t *testing.T, f ports.FilterPort) {
			for _, text := range []string{h.Hit, "日本語" + h.Hit + "ñ", h.Hit + "\u200d"} {
				got, _ := f.Filter(text, h.Language)
				require.True(t, utf8.ValidString(got))
			}
		},
		"ManyAtOnce": func(t *testing.T, f ports.FilterPort) {
			want, _ := f.Filter(h.Hit, h.Language)
			start := make(chan struct{})
			var wg sync.WaitGroup
			got := make([]string, 32)
			for i := range got {
				wg.Go(func() {
					<-start
					for range 50 {
						got[i], _ = f.Filter(h.Hit, h.Language)
					}
				})
			}
			close(start)
			wg.Wait()
			for _, g := range got {
				require.Equal(t, want, g)
			}
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { test(t, h.New(t)) })
	}
}

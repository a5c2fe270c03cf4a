package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
)

// TestEverySentenceIsThereInEveryLanguage, and only the one that names the languages
// has a place for them.
func TestEverySentenceIsThereInEveryLanguage(t *testing.T) {
	all := app.Sentences()
	want := slices.Sorted(maps.Keys(all["en"]))
	require.Contains(t, want, "stranger")
	for language, sentences := range all {
		require.Equal(t, want, slices.Sorted(maps.Keys(sentences)), language)
		for notice, s := range sentences {
			require.Equal(t, notice == "stranger", strings.Contains(s, "{languages}"), "%s in %s", notice, language)
			require.Less(t, domain.TextUnits(s), 200)
		}
		require.NotEqual(t, language, app.NamesOf(domain.Languages{language}), "a language we have words in has a name")
	}
}

func TestLanguagesAreCalledAsTheirSpeakersCallThem(t *testing.T) {
	require.Equal(t, "español, English, 中文, tlh", app.NamesOf(domain.Languages{"es-MX", "en-US", "en-GB", "cmn-Hans-CN", "tlh"}))
}

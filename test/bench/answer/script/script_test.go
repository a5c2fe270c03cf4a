package script_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/bench/answer/script"
)

const ms = time.Millisecond

func TestTheUsualAnswer(t *testing.T) {
	assert.Equal(t, 480, utf8.RuneCountInString(script.Text))
	sentences := script.Sentences(script.Text)
	assert.Len(t, sentences, 7)
	assert.Len(t, sentences[6], 70)
	assert.Equal(t, script.Text, strings.Join(sentences, " "))
	for _, s := range sentences {
		assert.InDelta(t, 70, len(s), 10)
		assert.Contains(t, s, ",", "a clause to cut at")
	}
}

func TestStream(t *testing.T) {
	tokens, err := script.Usual().Stream(script.Text)
	require.NoError(t, err)
	require.Len(t, tokens, 120)
	assert.Equal(t, 400*ms, tokens[0].At)
	assert.Equal(t, 2400*ms, tokens[119].At)
	text := ""
	for i, tok := range tokens {
		text += tok.Text
		if i > 0 {
			assert.InDelta(t, float64(2000*ms)/119, float64(tok.At-tokens[i-1].At), 2)
		}
		assert.NotEmpty(t, tok.Text)
	}
	assert.Equal(t, script.Text, text)
	assert.Equal(t, ".", tokens[119].Text)
}

func TestStreamOfFewAndOfManyTokens(t *testing.T) {
	r := script.Usual()
	for _, n := range []int{1, 2, 3, 5, 9} {
		r.Tokens = n
		tokens, err := r.Stream("Good day.")
		require.NoError(t, err)
		require.Len(t, tokens, n)
		text := ""
		for _, tok := range tokens {
			text += tok.Text
		}
		assert.Equal(t, "Good day.", text)
		assert.Equal(t, 400*ms+time.Duration(float64(n)/60*float64(time.Second)), tokens[n-1].At)
	}
	r.Tokens = 10
	_, err := r.Stream("Good day.")
	assert.Error(t, err, "there are only nine characters")
	r.Tokens = 0
	_, err = r.Stream("Good day.")
	assert.Error(t, err)
}

// TestFloors holds the figures that the project has set itself for these rates.
func TestFloors(t *testing.T) {
	text, err := script.Usual().Floors(script.Text, false)
	require.NoError(t, err)
	assert.Equal(t, script.Floors{
		FirstToken: 400 * ms, Writing: 2000 * ms,
		Sequential: 4570 * ms, BySentence: 2930 * ms, Limit: 2650 * ms,
	}, text)
	voice, err := script.Usual().Floors(script.Text, true)
	require.NoError(t, err)
	assert.Equal(t, script.Floors{
		Hearing: 600 * ms, FirstToken: 400 * ms, Writing: 2000 * ms,
		Sequential: 5170 * ms, BySentence: 3530 * ms, Limit: 3250 * ms,
	}, voice)
}

// TestFloorsOfALongSentenceBeforeAShortOne: the sentence that is ready last need not be
// the last sentence.
func TestFloorsOfALongSentenceBeforeAShortOne(t *testing.T) {
	r := script.Usual()
	r.Tokens, r.PerSecond = 4, 1000 // the model writes in 4 ms
	long := strings.Repeat("a", 99) + "."
	f, err := r.Floors(long+" Yes.", false)
	require.NoError(t, err)
	assert.Greater(t, f.BySentence, 400*ms+250*ms+400*ms)
	assert.Less(t, f.BySentence, 400*ms+250*ms+400*ms+4*ms)
	assert.Equal(t, 654*ms, f.Limit)
}

func TestSentences(t *testing.T) {
	assert.Equal(t, []string{"It costs 3.50 euros.", "Yes!", "and more"}, script.Sentences("It costs 3.50 euros. Yes! and more"))
	assert.Empty(t, script.Sentences("  "))
}

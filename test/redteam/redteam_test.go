package redteam_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/redteam"
)

func TestEachCaseIsWrittenAndSpoken(t *testing.T) {
	cases, err := redteam.Read("../e2e/testdata/redteam.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(cases), 40)
	ear, err := fake.NewSTT(fake.Knobs{})
	require.NoError(t, err)
	hidden := map[string]int{}
	all := 0
	for _, c := range cases {
		data, err := c.Spoken()
		require.NoError(t, err)
		clip, err := domain.NewAudio(domain.MIMEOggOpus, data, 0)
		require.NoError(t, err)
		heard, err := ear.Transcribe(t.Context(), clip, ports.STTOptions{})
		require.NoError(t, err)
		require.Equal(t, c.Sent(), heard.Text, "%s: what is hidden is spoken, too", c.Name)
		all += len(data)
		if c.Hidden != "" {
			hidden[c.Hidden]++
			require.NotEqual(t, c.Says, c.Sent(), c.Name)
			require.Equal(t, c.Says, domain.CleanText(c.Sent()), "%s: nobody sees it", c.Name)
		}
	}
	require.Len(t, hidden, 4)
	require.Less(t, all, 256<<10, "all of them together are kept in memory")
}

func TestFilesWithoutCasesAreRefused(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "another file": "calls: [1]", "no YAML": "cases: [", "a case that says nothing": "cases: [{name: mute}]",
	} {
		path := filepath.Join(t.TempDir(), "cases.yaml")
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		_, err := redteam.Read(path)
		require.Error(t, err, name)
	}
	_, err := redteam.Read(filepath.Join(t.TempDir(), "nowhere.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

package voicenote_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestTakeMeasuresASoundFileAndLeavesItAsItIs(t *testing.T) {
	data := sentence(t, 1)
	got, err := voicenote.Take("speak", data)
	require.NoError(t, err)
	assert.Equal(t, domain.MIMEOggOpus, got.MIME())
	assert.Equal(t, 3600*time.Millisecond-6500*time.Microsecond, got.Duration())
	assert.Equal(t, data, got.Bytes())
}

func TestTakeEndsAnUnendedStream(t *testing.T) {
	data := sentence(t, 1)
	last := bytes.LastIndex(data, []byte("OggS"))
	unended := data[:last] // three pages of a second
	require.ErrorIs(t, oggopus.Check(unended), oggopus.ErrUnended)
	got, err := voicenote.Take("speak", unended)
	require.NoError(t, err)
	require.NoError(t, oggopus.Check(got.Bytes()))
	assert.Equal(t, 3*time.Second-6500*time.Microsecond, got.Duration())
}

func TestTakeRefuses(t *testing.T) {
	data := sentence(t, 1)
	short, err := oggopus.Encode(func(yield func([]byte) bool) { yield(oggopus.SilencePacket()) }, oggopus.Options{PreSkip: oggopus.SilenceSamples - 1})
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		data []byte
		want error
		kind ports.Kind
	}{
		{"nothing", nil, oggopus.ErrCorrupt, ports.KindTransient},
		{"a file cut off inside a page", data[:len(data)-1], oggopus.ErrCorrupt, ports.KindTransient},
		{"two streams", append(bytes.Clone(data), data...), oggopus.ErrChained, ports.KindUnsupported},
		{"far too much", make([]byte, oggopus.MaxVoiceNote+1), oggopus.ErrTooLarge, ports.KindUnsupported},
		{"no sound", short[:bytes.LastIndex(short, []byte("OggS"))], oggopus.ErrSilentFile, ports.KindUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := voicenote.Take("speak", c.data)
			require.ErrorIs(t, err, c.want)
			assert.Equal(t, c.kind, ports.KindOf(err))
			assert.True(t, got.Empty())
		})
	}
	for i := range data {
		broken := bytes.Clone(data)
		broken[i] ^= 0x10
		_, err := voicenote.Take("speak", broken)
		require.Error(t, err, "byte %d", i)
	}
}

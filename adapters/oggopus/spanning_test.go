package oggopus_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// rawPage makes a page of the stream that silence writes.
func rawPage(flags byte, sequence uint32, granule int64, lacing, body []byte) []byte {
	p := append([]byte("OggS\x00"), flags)
	p = binary.LittleEndian.AppendUint64(p, uint64(granule))
	p = append(p, 0, 0, 0, 0)
	p = binary.LittleEndian.AppendUint32(p, sequence)
	p = append(p, 0, 0, 0, 0, byte(len(lacing)))
	p = append(append(p, lacing...), body...)
	seal(p)
	return p
}

// Flags of a page (RFC 3533, section 6).
const (
	continued = 1
	last      = 4
)

// spanning is a file whose first audio page holds a whole packet and the beginning of
// one that fills the second page and ends on the third.
func spanning(t *testing.T, small, large []byte) []byte {
	file := silence(t, 1, oggopus.Options{})
	return slices.Concat(
		file[:pageStart(file, 2)],
		rawPage(0, 2, 960, []byte{byte(len(small)), 255}, slices.Concat(small, large[:255])),
		rawPage(continued, 3, -1, []byte{255, 255}, large[255:3*255]),
		rawPage(continued|last, 4, 2*960, []byte{byte(len(large) - 3*255)}, large[3*255:]),
	)
}

func TestPacketsThatSpanPages(t *testing.T) {
	small, large := []byte{celt, 1, 2}, make([]byte, 3*255+100)
	large[0] = celt
	for i := 1; i < len(large); i++ {
		large[i] = byte(i)
	}
	file := spanning(t, small, large)
	before := bytes.Clone(file)
	var got []oggopus.Packet
	for p, err := range oggopus.Packets(file) {
		require.NoError(t, err)
		got = append(got, p)
	}
	assert.Equal(t, []oggopus.Packet{
		{Data: small, Samples: 960, Granule: 960},
		{Data: large, Samples: 960, Granule: 2 * 960, Last: true},
	}, got)
	assert.Equal(t, before, file, "only read")
	require.NoError(t, oggopus.Check(file))

	note, length, err := oggopus.Join([][]byte{file, file}, oggopus.JoinOptions{Pause: oggopus.MinPause})
	require.NoError(t, err)
	info, err := oggopus.Inspect(note)
	require.NoError(t, err)
	assert.Equal(t, info.Duration, length)
	all := packetsOf(t, note)
	assert.Equal(t, [][]byte{small, large}, all[len(all)-2:])
	assert.Equal(t, before, file, "only read")
}

func TestAnEndInsideAPacketIsNoEnd(t *testing.T) {
	file := silence(t, 1, oggopus.Options{})
	file = append(file[:pageStart(file, 2):pageStart(file, 2)], rawPage(last, 2, 960, []byte{3, 255}, append([]byte{celt, 1, 2}, make([]byte, 255)...))...)
	r, err := oggopus.NewReader(file)
	require.NoError(t, err)
	p, err := r.Next()
	require.NoError(t, err)
	assert.EqualValues(t, 960, p.Granule)
	assert.False(t, p.Last)
	_, err = r.Next()
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	assert.ErrorIs(t, oggopus.Check(file), oggopus.ErrCorrupt)
}

func TestEmptyPagesArePassedOver(t *testing.T) {
	file := silence(t, 1, oggopus.Options{})
	head := file[:pageStart(file, 2)]
	packet := []byte{celt, 1, 2}
	file = slices.Concat(head, rawPage(0, 2, -1, nil, nil), rawPage(0, 3, 960, []byte{3}, packet), rawPage(0, 4, -1, nil, nil), rawPage(last, 5, 960, nil, nil))
	r, err := oggopus.NewReader(file)
	require.NoError(t, err)
	p, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, oggopus.Packet{Data: packet, Samples: 960, Granule: 960}, p)
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	info, err := oggopus.Examine(file)
	require.NoError(t, err)
	assert.True(t, info.Ended, "an empty page ends it")
}

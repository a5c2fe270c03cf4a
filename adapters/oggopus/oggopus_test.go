package oggopus_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// silence makes a file of n packets of 20 ms.
func silence(t testing.TB, n int, opt oggopus.Options) []byte {
	t.Helper()
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range n {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, opt)
	require.NoError(t, err)
	return data
}

func TestEncodeThenInspect(t *testing.T) {
	data := silence(t, 250, oggopus.Options{Serial: 7, PreSkip: oggopus.DefaultPreSkip, InputRate: 16000, Comments: []string{"TITLE=a=b"}})
	info, err := oggopus.Inspect(data)
	require.NoError(t, err)
	assert.Equal(t, 1, info.Channels)
	assert.Equal(t, 312, info.PreSkip)
	assert.Equal(t, 16000, info.InputRate)
	assert.Equal(t, "whatsapp-node", info.Vendor)
	title, ok := info.Get("title")
	assert.True(t, ok)
	assert.Equal(t, "a=b", title)
	assert.Equal(t, []uint32{7}, info.Serials)
	assert.Equal(t, 250, info.Packets)
	assert.EqualValues(t, 250*960, info.Samples)
	assert.Equal(t, 5*time.Second-6500*time.Microsecond, info.Duration)
	assert.Zero(t, info.EndTrim)
	assert.Zero(t, info.Missing)
	assert.True(t, info.Ended)
	assert.NoError(t, oggopus.Check(data))
}

func TestPagesHoldASecond(t *testing.T) {
	data := silence(t, 250, oggopus.Options{})
	assert.Equal(t, 2+5, bytes.Count(data, []byte("OggS")), "two header pages and one page a second")
}

func TestPacketsComeBackAsTheyWentIn(t *testing.T) {
	var in [][]byte
	for i := range 400 { // lengths around the lacing limit of 255 and its multiples
		in = append(in, append([]byte{0xf8}, bytes.Repeat([]byte{byte(i)}, i*3)...))
	}
	data, err := oggopus.Encode(slices.Values(in), oggopus.Options{})
	require.NoError(t, err)
	var out [][]byte
	for p, err := range oggopus.Packets(data) {
		require.NoError(t, err)
		out = append(out, p.Data)
	}
	assert.Equal(t, in, out)
}

func TestWriterTrimsTheEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		packets int
		trim    int
		ok      bool
	}{
		{"nothing", 10, 0, true},
		{"part of the last packet", 10, 500, true},
		{"several packets", 10, 3000, true},
		{"everything", 10, 9600, false},
		{"into an earlier page", 60, 20 * 960, false},
		{"a negative amount", 10, -1, false},
		{"of an empty stream", 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var buf bytes.Buffer
			w, err := oggopus.NewWriter(&buf, oggopus.Options{PreSkip: 312})
			require.NoError(t, err)
			for range c.packets {
				require.NoError(t, w.WritePacket(oggopus.SilencePacket()))
			}
			err = w.Close(c.trim)
			if !c.ok {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.NoError(t, oggopus.Check(buf.Bytes()))
			info, err := oggopus.Inspect(buf.Bytes())
			require.NoError(t, err)
			assert.EqualValues(t, c.trim, info.EndTrim)
			pcm, err := oggopus.DecodePCM(buf.Bytes(), 48000)
			require.NoError(t, err)
			assert.Len(t, pcm, c.packets*960-312-c.trim)
			assert.Error(t, w.Close(0), "a second Close")
			assert.Error(t, w.WritePacket(oggopus.SilencePacket()), "a packet after Close")
		})
	}
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	data := silence(t, 60, oggopus.Options{})
	for i := range data {
		broken := bytes.Clone(data)
		broken[i] ^= 0x10
		_, err := oggopus.Inspect(broken)
		require.ErrorIs(t, err, oggopus.ErrCorrupt, "byte %d", i)
	}
}

func TestEveryCutIsNoticed(t *testing.T) {
	data := silence(t, 120, oggopus.Options{})
	for i := range data {
		require.Error(t, oggopus.Check(data[:i]), "cut at byte %d", i)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	good := silence(t, 10, oggopus.Options{PreSkip: 312})
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, oggopus.ErrCorrupt},
		{"another format", []byte("RIFF....WAVEfmt and so on, and so on"), oggopus.ErrCorrupt},
		{"trailing bytes", append(bytes.Clone(good), 0), oggopus.ErrCorrupt},
		{"stereo", patch(good, 0, func(p []byte) { p[28+9] = 2 }), oggopus.ErrNotMono},
		{"surround", patch(good, 0, func(p []byte) { p[28+18] = 1 }), oggopus.ErrCorrupt},
		{"all pre-skip", patch(good, 0, func(p []byte) { binary.LittleEndian.PutUint16(p[28+10:], 9600) }), oggopus.ErrSilentFile},
		{"no last page", patch(good, 2, func(p []byte) { p[5] = 0 }), oggopus.ErrUnended},
		{"a gap in the sequence", patch(good, 2, func(p []byte) { p[18]++ }), oggopus.ErrCorrupt},
		{"a foreign serial", patch(good, 2, func(p []byte) { p[14]++ }), oggopus.ErrCorrupt},
		{"no granule position", patch(good, 2, func(p []byte) { binary.LittleEndian.PutUint64(p[6:], ^uint64(0)) }), oggopus.ErrCorrupt},
		{"chained", append(bytes.Clone(good), good...), oggopus.ErrChained},
		{"headers only", good[:pageStart(good, 2)], oggopus.ErrSilentFile},
		{"too large", make([]byte, oggopus.MaxVoiceNote+1), oggopus.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.ErrorIs(t, oggopus.Check(c.data), c.want)
		})
	}
}

func TestHolesInGranulesAreMeasured(t *testing.T) {
	data := silence(t, 100, oggopus.Options{})
	holed := patch(data, 3, func(p []byte) { binary.LittleEndian.PutUint64(p[6:], 100*960+480) })
	info, err := oggopus.Inspect(holed)
	require.NoError(t, err)
	assert.EqualValues(t, 480, info.Missing)
	length, err := oggopus.Length(holed)
	require.NoError(t, err)
	assert.Equal(t, 2*time.Second, length)
	assert.Equal(t, 2*time.Second, info.Duration, "what is missing is not played")
	assert.ErrorIs(t, oggopus.Check(holed), oggopus.ErrCorrupt)
}

func TestARecordingJoinedLateCountsFromItsFirstSample(t *testing.T) {
	data := silence(t, 100, oggopus.Options{})
	for page := range 2 {
		data = patch(data, page+2, func(p []byte) {
			binary.LittleEndian.PutUint64(p[6:], binary.LittleEndian.Uint64(p[6:])+1_000_000)
		})
	}
	info, err := oggopus.Inspect(data)
	require.NoError(t, err)
	assert.Equal(t, 2*time.Second, info.Duration)
}

func TestChainedStreamsAreReadAndSummed(t *testing.T) {
	data := append(silence(t, 50, oggopus.Options{Serial: 1}), silence(t, 100, oggopus.Options{Serial: 2, PreSkip: 480})...)
	info, err := oggopus.Inspect(data)
	require.NoError(t, err)
	assert.Equal(t, []uint32{1, 2}, info.Serials)
	assert.Equal(t, 3*time.Second-10*time.Millisecond, info.Duration)
	pcm, err := oggopus.DecodePCM(data, 16000)
	require.NoError(t, err)
	assert.Len(t, pcm, 3*16000-160)
}

func TestAPacketMayCoverSeveralPages(t *testing.T) {
	// Tags longer than a page can only be met in the wild; build the pages by hand.
	data := silence(t, 10, oggopus.Options{Comments: []string{"A=" + string(bytes.Repeat([]byte{'x'}, 600))}})
	split := splitTags(data)
	info, err := oggopus.Inspect(split)
	require.NoError(t, err)
	assert.Len(t, info.Comments[0], 602)
	assert.Equal(t, 10, info.Packets)
}

func TestWriterRefusesWhatItCannotWrite(t *testing.T) {
	_, err := oggopus.Encode(slices.Values([][]byte{{}}), oggopus.Options{})
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	_, err = oggopus.Encode(slices.Values([][]byte{{0xf9, 1}}), oggopus.Options{})
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	_, err = oggopus.NewWriter(&bytes.Buffer{}, oggopus.Options{PreSkip: 70000})
	assert.Error(t, err)
	_, err = oggopus.NewWriter(&bytes.Buffer{}, oggopus.Options{Comments: []string{string(make([]byte, 60000))}})
	assert.Error(t, err)
}

func TestRewriteRefusesWhatIsNoVoiceNote(t *testing.T) {
	good := silence(t, 10, oggopus.Options{PreSkip: 312, Gain: -256})
	out, info, err := oggopus.Rewrite(good)
	require.NoError(t, err)
	after, err := oggopus.Inspect(out)
	require.NoError(t, err)
	assert.EqualValues(t, -256, after.Gain)
	assert.Equal(t, info.Duration, after.Duration)
	for want, data := range map[error][]byte{
		oggopus.ErrCorrupt: good[:len(good)-1],
		oggopus.ErrChained: append(bytes.Clone(good), good...),
		oggopus.ErrNotMono: patch(good, 0, func(p []byte) { p[28+9] = 2 }),
	} {
		out, info, err := oggopus.Rewrite(data)
		assert.ErrorIs(t, err, want)
		assert.Nil(t, out)
		assert.Zero(t, info)
	}
}

// pageStart finds the offset of the n-th page.
func pageStart(data []byte, n int) int {
	at := 0
	for range n {
		at += 4 + bytes.Index(data[at+4:], []byte("OggS"))
	}
	return at
}

// patch changes the n-th page of a copy and puts its checksum right again.
func patch(data []byte, n int, change func(page []byte)) []byte {
	data = bytes.Clone(data)
	from, to := pageStart(data, n), len(data)
	if i := bytes.Index(data[from+4:], []byte("OggS")); i >= 0 {
		to = from + 4 + i
	}
	change(data[from:to])
	seal(data[from:to])
	return data
}

// seal computes a page's checksum bit by bit, apart from the code under test.
func seal(page []byte) {
	clear(page[22:26])
	var sum uint32
	for _, b := range page {
		sum ^= uint32(b) << 24
		for range 8 {
			carry := sum >> 31
			sum <<= 1
			if carry != 0 {
				sum ^= 0x04c11db7
			}
		}
	}
	binary.LittleEndian.PutUint32(page[22:], sum)
}

// splitTags moves the second half of the tags packet to a page of its own.
func splitTags(data []byte) []byte {
	from, to := pageStart(data, 1), pageStart(data, 2)
	tags := data[from:to]
	lacing := tags[27 : 27+int(tags[26])]
	body := tags[27+int(tags[26]):]
	page := func(flags byte, sequence uint32, lacing, body []byte, granule uint64) []byte {
		p := bytes.Clone(tags[:27])
		p[5], p[26] = flags, byte(len(lacing))
		binary.LittleEndian.PutUint64(p[6:], granule)
		binary.LittleEndian.PutUint32(p[18:], sequence)
		p = append(append(p, lacing...), body...)
		seal(p)
		return p
	}
	out := bytes.Clone(data[:from])
	out = append(out, page(0, 1, lacing[:1], body[:255], ^uint64(0))...)
	out = append(out, page(1, 2, lacing[1:], body[255:], 0)...)
	return append(out, patch(data[to:], 0, func(p []byte) { p[18]++ })...)
}

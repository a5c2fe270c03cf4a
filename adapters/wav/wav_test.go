package wav_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/wav"
)

func chunk(id string, body []byte) []byte {
	b := append([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func format(tag, channels uint16, rate uint32, bits uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, tag)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*uint32(channels)*uint32(bits)/8)
	b = binary.LittleEndian.AppendUint16(b, channels*bits/8)
	return binary.LittleEndian.AppendUint16(b, bits)
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...), body...)
}

func TestEncodeThenDecode(t *testing.T) {
	in := []int16{0, 1, -1, 32767, -32768, 100}
	p, err := wav.Decode(wav.Encode(in, 16000))
	require.NoError(t, err)
	assert.Equal(t, wav.PCM{Rate: 16000, Channels: 1, Samples: in}, p)
	assert.Equal(t, 375*time.Microsecond, p.Duration())
}

func TestDecodeWalksTheChunks(t *testing.T) {
	samples := wav.Bytes(nil, []int16{5, 6, 7, 8})
	mono := format(1, 1, 8000, 16)
	extensible := append(format(0xfffe, 1, 8000, 16), 22, 0, 16, 0, 4, 0, 0, 0, 1, 0)
	extensible = append(extensible, make([]byte, 14)...)
	unknown := func(size uint32) []byte {
		c := chunk("data", samples)
		binary.LittleEndian.PutUint32(c[4:], size)
		return c
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"plain", riff(chunk("fmt ", mono), chunk("data", samples))},
		{"remarks before the samples", riff(chunk("fmt ", mono), chunk("LIST", []byte("INFOISFT\x05\x00\x00\x00Lavf\x00")), chunk("data", samples))},
		{"remarks of odd length", riff(chunk("note", []byte("odd")), chunk("fmt ", mono), chunk("data", samples))},
		{"remarks after the samples", riff(chunk("fmt ", mono), chunk("data", samples), chunk("LIST", []byte("x")))},
		{"extensible format", riff(chunk("fmt ", extensible), chunk("data", samples))},
		{"streamed, length 0", riff(chunk("fmt ", mono), unknown(0))},
		{"streamed, length 2 GiB", riff(chunk("fmt ", mono), unknown(0x7fffffff-36))},
		{"streamed, length 4 GiB", riff(chunk("fmt ", mono), unknown(0xffffffff))},
		{"half a sample at the end", riff(chunk("fmt ", mono), chunk("data", append(bytes.Clone(samples), 1)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := wav.Decode(c.data)
			require.NoError(t, err)
			assert.Equal(t, wav.PCM{Rate: 8000, Channels: 1, Samples: []int16{5, 6, 7, 8}}, p)
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	samples := chunk("data", make([]byte, 8))
	good := riff(chunk("fmt ", format(1, 1, 8000, 16)), samples)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"nothing", nil},
		{"another file", []byte("OggS and so on")},
		{"no format", riff(samples)},
		{"no samples", riff(chunk("fmt ", format(1, 1, 8000, 16)))},
		{"cut samples", good[:len(good)-1]},
		{"cut chunk", riff(chunk("fmt ", format(1, 1, 8000, 16)))[:20]},
		{"short format", riff(chunk("fmt ", make([]byte, 8)), samples)},
		{"8 bits", riff(chunk("fmt ", format(1, 1, 8000, 8)), samples)},
		{"floating point", riff(chunk("fmt ", format(3, 1, 8000, 16)), samples)},
		{"six channels", riff(chunk("fmt ", format(1, 6, 8000, 16)), samples)},
		{"no rate", riff(chunk("fmt ", format(1, 1, 0, 16)), samples)},
		{"absurd rate", riff(chunk("fmt ", format(1, 1, 1<<30, 16)), samples)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := wav.Decode(c.data)
			assert.ErrorIs(t, err, wav.ErrFormat)
		})
	}
}

func TestStereoIsAveraged(t *testing.T) {
	data := riff(chunk("fmt ", format(1, 2, 8000, 16)), chunk("data", wav.Bytes(nil, []int16{10, 20, -32768, -32768, 32767, 32767})))
	p, err := wav.Decode(data)
	require.NoError(t, err)
	assert.Equal(t, []int16{15, -32768, 32767}, p.Mono())
}

func FuzzDecode(f *testing.F) {
	f.Add(wav.Encode([]int16{1, 2, 3}, 16000))
	f.Add(riff(chunk("LIST", []byte("odd")), chunk("fmt ", format(1, 2, 8000, 16)), chunk("data", make([]byte, 8))))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := wav.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, wav.ErrFormat)
			return
		}
		require.LessOrEqual(t, 2*len(p.Samples), len(data))
		require.Zero(t, len(p.Samples)%p.Channels)
		mono := p.Mono()
		again, err := wav.Decode(wav.Encode(mono, p.Rate))
		require.NoError(t, err)
		require.Equal(t, len(mono), len(again.Samples))
	})
}

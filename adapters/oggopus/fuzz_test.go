package oggopus_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// FuzzRead feeds arbitrary files. Reading must not panic, what Inspect accepts
// must be readable packet by packet, and what was read must survive being written.
func FuzzRead(f *testing.F) {
	good := silence(f, 60, oggopus.Options{PreSkip: 312, Comments: []string{"A=b"}})
	f.Add(good)
	f.Add(append(bytes.Clone(good), good...))
	f.Add(splitTags(silence(f, 3, oggopus.Options{Comments: []string{string(make([]byte, 300))}})))
	f.Add([]byte("OggS"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = sealAll(data)
		info, err := oggopus.Inspect(data)
		if err != nil {
			require.ErrorIs(t, err, oggopus.ErrCorrupt)
			require.Error(t, oggopus.Check(data))
			return
		}
		var packets [][]byte
		samples := int64(0)
		for p, err := range oggopus.Packets(data) {
			require.NoError(t, err)
			packets = append(packets, p.Data)
			samples += int64(p.Samples)
		}
		require.Len(t, packets, info.Packets)
		require.Equal(t, info.Samples, samples)
		require.GreaterOrEqual(t, info.Duration, time.Duration(0))
		require.LessOrEqual(t, info.Duration, time.Duration(samples)*time.Second/48000)
		if samples == 0 || slices.ContainsFunc(packets, func(p []byte) bool { return len(p) >= 255*255 }) {
			return
		}
		again, err := oggopus.Encode(slices.Values(packets), oggopus.Options{})
		require.NoError(t, err)
		require.NoError(t, oggopus.Check(again))
	})
}

// FuzzDecode feeds arbitrary packets in a sound file: the decoder may refuse
// them, but neither panic nor return more than the packets' length.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xff, 0xfe}, byte(0xf8))
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, byte(11<<3))
	f.Add(bytes.Repeat([]byte{0xa5}, 80), byte(15<<3))
	f.Fuzz(func(t *testing.T, body []byte, toc byte) {
		packet := append([]byte{toc}, body...)
		n, err := oggopus.PacketSamples(packet)
		if err != nil || len(packet) >= 255*255 {
			return
		}
		data, err := oggopus.Encode(slices.Values([][]byte{packet, packet}), oggopus.Options{})
		require.NoError(t, err)
		pcm, err := oggopus.DecodePCM(data, 48000)
		if err != nil {
			require.ErrorIs(t, err, oggopus.ErrCorrupt)
			return
		}
		require.LessOrEqual(t, len(pcm), 2*n)
	})
}

// sealAll puts the checksums of a file's pages right, so that fuzzing gets past
// them.
func sealAll(data []byte) []byte {
	data = bytes.Clone(data)
	for at := 0; ; {
		p := data[at:]
		if len(p) < 27 || string(p[:4]) != "OggS" || len(p) < 27+int(p[26]) {
			return data
		}
		size := 27 + int(p[26])
		for _, n := range p[27:size] {
			size += int(n)
		}
		if len(p) < size {
			return data
		}
		seal(p[:size])
		at += size
	}
}

package oggopus_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/oggopus"
)

func TestPacketDuration(t *testing.T) {
	ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
	for _, c := range []struct {
		name   string
		packet []byte
		want   time.Duration // 0: refused
	}{
		{"SILK narrowband 10 ms", []byte{0 << 3, 1}, ms(10)},
		{"SILK wideband 60 ms", []byte{11 << 3, 1}, ms(60)},
		{"hybrid 20 ms", []byte{15 << 3, 1}, ms(20)},
		{"CELT 2.5 ms", []byte{16 << 3, 1}, ms(2.5)},
		{"CELT 20 ms", []byte{31 << 3, 1}, ms(20)},
		{"lost frame", []byte{31 << 3}, ms(20)},
		{"two equal frames", []byte{31<<3 | 1, 1, 2}, ms(40)},
		{"two frames", []byte{31<<3 | 2, 1, 9, 9, 9}, ms(40)},
		{"six frames", []byte{31<<3 | 3, 6, 1, 2, 3, 4, 5, 6}, ms(120)},
		{"two stated frames", []byte{31<<3 | 3, 0x82, 1, 7, 8, 8}, ms(40)},
		{"padding", []byte{31<<3 | 3, 0x41, 2, 7, 0, 0}, ms(20)},
		{"long padding", append([]byte{31<<3 | 3, 0x41, 255, 1, 7}, make([]byte, 255)...), ms(20)},
		{"long frame length", append([]byte{31<<3 | 2, 252, 1}, make([]byte, 300)...), ms(40)},
		{"nothing", nil, 0},
		{"odd halves", []byte{31<<3 | 1, 1, 2, 3}, 0},
		{"first frame too long", []byte{31<<3 | 2, 9, 1}, 0},
		{"no frame length", []byte{31<<3 | 2}, 0},
		{"no count", []byte{31<<3 | 3}, 0},
		{"no frames", []byte{31<<3 | 3, 0}, 0},
		{"longer than 120 ms", []byte{31<<3 | 3, 7, 1, 2, 3, 4, 5, 6, 7}, 0},
		{"three frames of 60 ms", []byte{3<<3 | 3, 3, 1, 2, 3}, 0},
		{"indivisible", []byte{31<<3 | 3, 2, 1, 2, 3}, 0},
		{"more padding than packet", []byte{31<<3 | 3, 0x41, 9, 1}, 0},
		{"endless padding", []byte{31<<3 | 3, 0x41, 255}, 0},
		{"stated frames too long", []byte{31<<3 | 3, 0x82, 9, 1}, 0},
		{"frame over 1275 bytes", append([]byte{31 << 3}, make([]byte, 1276)...), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := oggopus.PacketDuration(bytes.Clone(c.packet))
			assert.Equal(t, c.want, got)
			if c.want == 0 {
				assert.ErrorIs(t, err, oggopus.ErrCorrupt)
			} else {
				assert.NoError(t, err)
			}
		})
	}
}

package oggopus_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// plainCRC is the checksum byte by byte with one table, as RFC 3533 has it.
func plainCRC(page []byte) (sum uint32) {
	for i, b := range page {
		if i >= 22 && i < 26 {
			b = 0
		}
		sum = sum<<8 ^ tables[0][byte(sum>>24)^b]
	}
	return sum
}

// tables hold the remainder of each byte, alone and with one to seven zero bytes
// behind it.
var tables = func() (t [8][256]uint32) {
	for i := range 256 {
		r := uint32(i) << 24
		for k := range t {
			for range 8 {
				r = r<<1 ^ r>>31*0x04c11db7
			}
			t[k][i] = r
		}
	}
	return t
}()

// tablesCRC is the checksum with eight tables, eight bytes at a time, which
// the benchmark compares with.
func tablesCRC(page []byte) uint32 {
	t := &tables
	take := func(sum uint32, data []byte) uint32 {
		for ; len(data) >= 8; data = data[8:] {
			sum ^= binary.BigEndian.Uint32(data)
			sum = t[7][sum>>24] ^ t[6][byte(sum>>16)] ^ t[5][byte(sum>>8)] ^ t[4][byte(sum)] ^
				t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]]
		}
		for _, b := range data {
			sum = sum<<8 ^ t[0][byte(sum>>24)^b]
		}
		return sum
	}
	return take(take(take(0, page[:22]), make([]byte, 4)), page[26:])
}

func randomPage(rnd *rand.Rand, size int) []byte {
	page := make([]byte, size)
	for i := range page {
		page[i] = byte(rnd.Uint32())
	}
	return page
}

func TestPageChecksum(t *testing.T) {
	const longest = 27 + 255 + 255*255
	sizes := []int{longest}
	for n := range 400 {
		sizes = append(sizes, 27+n)
	}
	for _, n := range []int{4096, 2 * 4096, 15 * 4096} { // what is turned round at a time
		for off := -33; off <= 33; off++ {
			sizes = append(sizes, n+off)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		sizes = append(sizes, 27+rnd.IntN(longest-26))
	}
	for _, n := range sizes {
		page := randomPage(rnd, n)
		before := bytes.Clone(page)
		got := oggopus.PageCRC(page)
		require.Equal(t, before, page, "%d bytes: only read", n)
		require.Equal(t, plainCRC(page), got, "%d bytes", n)
		require.Equal(t, tablesCRC(page), got, "%d bytes", n)
		seal(page) // bit by bit
		require.Equal(t, binary.LittleEndian.Uint32(page[22:]), got, "%d bytes", n)
	}
}

func TestPageChecksumSeesEveryBit(t *testing.T) {
	page := randomPage(rand.New(rand.NewPCG(5, 6)), 300)
	want := oggopus.PageCRC(page)
	for i := range 8 * len(page) {
		page[i/8] ^= 1 << (i % 8)
		if at := i / 8; at >= 22 && at < 26 {
			require.Equal(t, want, oggopus.PageCRC(page), "bit %d of the checksum itself", i)
		} else {
			require.NotEqual(t, want, oggopus.PageCRC(page), "bit %d", i)
		}
		page[i/8] ^= 1 << (i % 8)
	}
}

func TestPageChecksumsAtOnce(t *testing.T) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		all.Go(func() {
			<-start
			for range 50 {
				page := randomPage(rnd, 27+rnd.IntN(12_000))
				assert.Equal(t, plainCRC(page), oggopus.PageCRC(page))
			}
		})
	}
	close(start)
	all.Wait()
}

func BenchmarkPageChecksum(b *testing.B) {
	for _, size := range []int{300, 3000, 11_000} {
		page := randomPage(rand.New(rand.NewPCG(1, 1)), size)
		for _, c := range []struct {
			name string
			crc  func([]byte) uint32
		}{{"plain", plainCRC}, {"tables", tablesCRC}, {"ours", oggopus.PageCRC}} {
			b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					c.crc(page)
				}
			})
		}
	}
}

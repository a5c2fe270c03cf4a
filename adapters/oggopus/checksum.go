package oggopus

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"sync"
)

// pageCRC is the checksum of a whole page, taken with its checksum field as zero (RFC
// 3533, section 6): polynomial 0x04c11db7, most significant bit first, no
// complement at either end.
//
// hash/crc32 has the same polynomial, but takes the least significant bit first. Fed
// with the bits of each byte turned round it yields the same remainder, turned round.
// Processors have instructions for it, and so the detour over a copy is more than
// twice as fast on a page of a second as tables that take eight bytes at a time.
func pageCRC(page []byte) uint32 {
	buf := mirrors.Get().(*[mirrorSize]byte)
	n := mirror(buf, page)
	clear(buf[22:26])
	sum := crc32.Update(^uint32(0), crc32.IEEETable, buf[:n])
	for page = page[n:]; len(page) > 0; page = page[n:] {
		n = mirror(buf, page)
		sum = crc32.Update(sum, crc32.IEEETable, buf[:n])
	}
	mirrors.Put(buf)
	return bits.Reverse32(^sum)
}

// mirrorSize is how many bytes are turned round at a time: few enough to stay in the
// processor's fastest cache.
const mirrorSize = 4096

var mirrors = sync.Pool{New: func() any { return new([mirrorSize]byte) }}

// mirror fills dst with bytes of src, the bits of each in reverse order, and returns
// how many: all of them or mirrorSize.
func mirror(dst *[mirrorSize]byte, src []byte) int {
	n := min(len(src), mirrorSize)
	src, out := src[:n], dst[:n]
	for len(src) >= 32 && len(out) >= 32 { // four words, which do not wait for each other
		binary.LittleEndian.PutUint64(out, mirrorBytes(binary.LittleEndian.Uint64(src)))
		binary.LittleEndian.PutUint64(out[8:], mirrorBytes(binary.LittleEndian.Uint64(src[8:])))
		binary.LittleEndian.PutUint64(out[16:], mirrorBytes(binary.LittleEndian.Uint64(src[16:])))
		binary.LittleEndian.PutUint64(out[24:], mirrorBytes(binary.LittleEndian.Uint64(src[24:])))
		src, out = src[32:], out[32:]
	}
	for len(src) >= 8 && len(out) >= 8 {
		binary.LittleEndian.PutUint64(out, mirrorBytes(binary.LittleEndian.Uint64(src)))
		src, out = src[8:], out[8:]
	}
	for i, b := range src {
		out[i] = bits.Reverse8(b)
	}
	return n
}

// mirrorBytes reverses the bits of each byte of a word: it swaps neighbours, then
// pairs, then halves. The sums carry nothing; processors add a shifted number in
// one step.
func mirrorBytes(x uint64) uint64 {
	const ones, pairs, halves = 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f
	x = x>>1&ones + x&ones<<1
	x = x>>2&pairs + x&pairs<<2
	return x>>4&halves + x&halves<<4
}

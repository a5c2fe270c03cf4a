package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
	"unicode/utf8"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/bench/answer/stage"
)

const (
	// charTime is how long a character is spoken: some 17 a second, as people do.
	charTime = 60 * time.Millisecond
	// packetBytes every 20 ms are 24 kbit/s, what voices are sent with.
	packetBytes = 60
	packetTime  = 20 * time.Millisecond
	// checkEvery is how many notes pass for one that is examined.
	checkEvery = 16
)

// clips makes Ogg/Opus clips, once for each length, and keeps them. Their framing and
// size are those of a voice; nobody should listen to the sound.
type clips struct {
	packets [][]byte
	mu      sync.Mutex
	made    map[int][]byte // by number of packets
}

func newClips() (*clips, error) {
	c := &clips{made: map[int][]byte{}}
	noise := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		packet := make([]byte, packetBytes)
		for i := range packet {
			packet[i] = byte(noise.Uint32())
		}
		packet[0] = oggopus.SilencePacket()[0] // 20 ms, one channel, one frame
		c.packets = append(c.packets, packet)
	}
	_, err := c.saying(1)
	return c, err
}

// saying is a clip as long as a text of so many characters.
func (c *clips) saying(characters int) ([]byte, error) {
	return c.lasting(time.Duration(max(characters, 1)) * charTime)
}

func (c *clips) lasting(d time.Duration) ([]byte, error) {
	n := int(d/packetTime) + 1 // makes up for the skipped start
	c.mu.Lock()
	defer c.mu.Unlock()
	if clip, ok := c.made[n]; ok {
		return clip, nil
	}
	var out bytes.Buffer
	w, err := oggopus.NewWriter(&out, oggopus.Options{Serial: 1, PreSkip: oggopus.DefaultPreSkip, InputRate: 24_000})
	if err != nil {
		return nil, err
	}
	for i := range n {
		if err := w.WritePacket(c.packets[i%len(c.packets)]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(oggopus.SilenceSamples - oggopus.DefaultPreSkip); err != nil {
		return nil, err
	}
	c.made[n] = out.Bytes()
	return c.made[n], oggopus.Check(c.made[n])
}

// upload takes a voice note; every so often one is examined.
func (w *world) upload(body []byte) stage.Answer {
	w.counts.uploadBytes.Add(int64(len(body)))
	if w.counts.upload.Add(1)%checkEvery == 1 {
		from, to := bytes.Index(body, []byte("OggS")), bytes.LastIndex(body, []byte("\r\n--"))
		if from < 0 || to < from {
			return w.wrong(errors.New("an upload holds no Ogg file"))
		}
		if err := oggopus.CheckNote(body[from:to], utf8.RuneCountInString(script.Text)); err != nil {
			return w.wrong(fmt.Errorf("an uploaded voice note: %w", err))
		}
	}
	return at(0, "application/json", []byte(`{"id":"`+answerMedia+`"}`))
}

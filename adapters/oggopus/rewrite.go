package oggopus

import (
	"bytes"
	"fmt"
)

// Rewrite puts the packets of a voice note into a file of this package's own: with
// its larger pages, a fixed serial number and without the encoder's remarks, which
// name its version and options. It plays exactly as before, and the same packets
// always yield the same bytes. What Check refuses is refused; the Info is that of
// the clip as it was.
func Rewrite(data []byte) ([]byte, Info, error) {
	out, info, err := rewrite(data)
	if err != nil {
		return nil, Info{}, fmt.Errorf("rewrite voice note: %w", err)
	}
	return out, info, nil
}

func rewrite(data []byte) ([]byte, Info, error) {
	if err := Check(data); err != nil {
		return nil, Info{}, err
	}
	info, err := Inspect(data)
	if err != nil {
		return nil, Info{}, err
	}
	buf := bytes.NewBuffer(make([]byte, 0, len(data)))
	w, err := NewWriter(buf, Options{Serial: 1, PreSkip: info.PreSkip, InputRate: info.InputRate, Gain: info.Gain})
	if err != nil {
		return nil, Info{}, err
	}
	for p, err := range Packets(data) {
		if err == nil {
			err = w.WritePacket(p.Data)
		}
		if err != nil {
			return nil, Info{}, err
		}
	}
	if err := w.Close(int(info.EndTrim)); err != nil {
		return nil, Info{}, err
	}
	return buf.Bytes(), info, Check(buf.Bytes())
}

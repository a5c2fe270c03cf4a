package oggopus

import "fmt"

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
	packets := make([][]byte, 0, min(len(data)/50, 1024))
	info, err := examine(data, func(packet []byte, _ int) error {
		packets = append(packets, packet)
		return nil
	})
	if err != nil {
		return nil, Info{}, err
	}
	out := make(sliceWriter, 0, len(data))
	w, err := NewWriter(&out, Options{Serial: 1, PreSkip: info.PreSkip, InputRate: info.InputRate, Gain: info.Gain})
	if err != nil {
		return nil, Info{}, err
	}
	for _, p := range packets {
		if err := w.WritePacket(p); err != nil {
			return nil, Info{}, err
		}
	}
	if err := w.Close(int(info.EndTrim)); err != nil {
		return nil, Info{}, err
	}
	return out, info, Check(out)
}

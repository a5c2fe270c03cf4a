package simulator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

func isWAV(data []byte) bool {
	return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WAVE"
}

var errBrokenWAV = errors.New("this WAV file has no format or no sound in it")

// cleanWAV rewrites a WAV file as header, format, data, with true sizes. Recorders that stream leave the sizes at 0 or
// 0xffffffff and others put lists before or after the sound; the encoder would play those. Anything but WAV is returned
// as it is.
func cleanWAV(data []byte) ([]byte, error) {
	if !isWAV(data) {
		return data, nil
	}
	var format, sound []byte
	for rest := data[12:]; len(rest) >= 8 && sound == nil; {
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if size > int64(len(rest)) || (name == "data" && size == 0) {
			size = int64(len(rest))
		}
		switch name {
		case "fmt ":
			format = rest[:size]
		case "data":
			sound = rest[:size]
		}
		rest = rest[min(size+size%2, int64(len(rest))):]
	}
	if len(format) < 16 || len(sound) == 0 {
		return nil, errBrokenWAV
	}
	if frame := int(binary.LittleEndian.Uint16(format[12:])); frame > 0 {
		sound = sound[:len(sound)-len(sound)%frame]
	}
	format = slices.Clone(format)
	if len(format)%2 == 1 {
		format = append(format, 0)
	}
	var out bytes.Buffer
	chunk := func(name string, body []byte) {
		out.WriteString(name)
		out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(body))))
		out.Write(body)
		if len(body)%2 == 1 {
			out.WriteByte(0)
		}
	}
	out.WriteString("RIFF")
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(4+8+len(format)+8+len(sound)+len(sound)%2)))
	out.WriteString("WAVE")
	chunk("fmt ", format)
	chunk("data", sound)
	return out.Bytes(), nil
}

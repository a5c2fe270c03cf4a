//go:build libopus

package libopus

// libopus.a needs libm behind it, which the pkg-config file tells to nobody who does
// not ask for a static library.

/*
#cgo pkg-config: opus
#cgo LDFLAGS: -lopus -lm
#include <opus.h>

// The binding has no call for this, and a macro cannot be called from Go.
static int lookahead(opus_int32 rate) {
	int err;
	opus_int32 samples = 0;
	OpusEncoder *enc = opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP, &err);
	if (err != OPUS_OK) {
		return err;
	}
	err = opus_encoder_ctl(enc, OPUS_GET_LOOKAHEAD(&samples));
	opus_encoder_destroy(enc);
	return err == OPUS_OK ? samples : err;
}
*/
import "C"

import "fmt"

// lookahead is by how many samples of its rate an encoder for speech is late.
func lookahead(rate int) (int, error) {
	n := int(C.lookahead(C.opus_int32(rate)))
	if n < 0 {
		return 0, fmt.Errorf("libopus: the look-ahead at %d Hz: error %d", rate, n)
	}
	return n, nil
}

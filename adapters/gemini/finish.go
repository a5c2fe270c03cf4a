package gemini

import (
	"errors"
	"strconv"

	"github.com/google/generative-ai-go/genai"

	"whatsappnode/ports"
)

// Finish reasons that the library has no name for. They and those it knows come as
// numbers (Google, generative_service.proto of the Gemini API, v1beta).
const (
	finishLanguage              genai.FinishReason = 6
	finishBlocklist             genai.FinishReason = 7
	finishProhibitedContent     genai.FinishReason = 8
	finishSPII                  genai.FinishReason = 9
	finishMalformedFunctionCall genai.FinishReason = 10
	finishImageSafety           genai.FinishReason = 11
)

// finishNames and blockNames are the vendor's names, for the operator.
var (
	finishNames = map[genai.FinishReason]string{
		genai.FinishReasonStop: "STOP", genai.FinishReasonMaxTokens: "MAX_TOKENS", genai.FinishReasonSafety: "SAFETY",
		genai.FinishReasonRecitation: "RECITATION", genai.FinishReasonOther: "OTHER", finishLanguage: "LANGUAGE",
		finishBlocklist: "BLOCKLIST", finishProhibitedContent: "PROHIBITED_CONTENT", finishSPII: "SPII",
		finishMalformedFunctionCall: "MALFORMED_FUNCTION_CALL", finishImageSafety: "IMAGE_SAFETY",
	}
	blockNames = map[genai.BlockReason]string{
		genai.BlockReasonSafety: "SAFETY", genai.BlockReasonOther: "OTHER", 3: "BLOCKLIST", 4: "PROHIBITED_CONTENT", 5: "IMAGE_SAFETY",
	}
)

// name is a reason's name, or its number when it is newer than the table.
func name[R ~int32](names map[R]string, reason R) string {
	if n, known := names[reason]; known {
		return n
	}
	return strconv.Itoa(int(reason))
}

// judge makes of the reason why the model stopped whether the answer is good.
func judge(finish genai.FinishReason, spoken bool) (truncated bool, err error) {
	bad := func(kind ports.Kind, text string) (bool, error) {
		return false, &ports.Error{Op: opLLM, Kind: kind, Code: name(finishNames, finish), Err: errors.New(text)}
	}
	switch finish {
	case genai.FinishReasonSafety, genai.FinishReasonRecitation, finishBlocklist, finishProhibitedContent, finishSPII, finishImageSafety:
		return bad(ports.KindBlocked, "the answer was blocked")
	case finishLanguage:
		return bad(ports.KindUnsupported, "the model does not speak the language")
	case genai.FinishReasonStop, genai.FinishReasonMaxTokens:
		truncated = finish == genai.FinishReasonMaxTokens
	case genai.FinishReasonUnspecified:
		if spoken { // nothing said that the answer was whole
			return bad(ports.KindTransient, "the stream ended before the answer did")
		}
	default:
		return bad(ports.KindUnknown, "the model stopped for another reason than the end of its answer")
	}
	switch {
	case !spoken && truncated:
		return bad(ports.KindUnknown, "the token limit was reached before the first word")
	case !spoken:
		return bad(ports.KindUnknown, "the answer is empty")
	}
	return truncated, nil
}

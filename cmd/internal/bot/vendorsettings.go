package bot

import (
	"time"

	"whatsappnode/adapters/settings"
)

// VendorConfig chooses who thinks, hears and speaks, and holds each vendor's settings.
// Everything but the choice is left to the vendor's adapter when it is empty.
type VendorConfig struct {
	LLM settings.List `env:"LLM_PROVIDER" doc:"Who answers, in failover order: anthropic, fake, gemini, genai, offline, openai, patternai. Unset: chosen from the keys present, else offline (a demo)."`
	STT settings.List `env:"STT_PROVIDER" doc:"Who hears, in failover order: deepgram, elevenlabs, fake, genai, googlespeech, offline, openai, patternai. Unset: chosen from the keys present, else offline (English, demo quality)."`
	TTS settings.List `env:"TTS_PROVIDER" doc:"Who speaks, in failover order: deepgram, elevenlabs, fake, genai, googletts, offline, openai, patternai. Unset: chosen from the keys present, else offline (robotic)."`

	Failover FailoverConfig
	Gemini   GeminiConfig
	Google   GoogleConfig
	OpenAI   OpenAIConfig
	Claude   AnthropicConfig
	Eleven   ElevenLabsConfig
	Deepgram DeepgramConfig
	Pattern  PatternAIConfig

	Fake string `env:"FAKE_KNOBS" doc:"Behaviour of the fake vendors, for tests: for example ttft=400ms,rate=60,error=transient:3."`
}

// FailoverConfig is about vendors that fail or are slow.
type FailoverConfig struct {
	LLMTimeout      time.Duration `env:"LLM_TIMEOUT" envDefault:"60s" validate:"min=100ms,max=15m" doc:"Time for one attempt of a model at a whole answer."`
	FirstToken      time.Duration `env:"LLM_FIRST_TOKEN" envDefault:"15s" validate:"min=100ms,max=5m" doc:"Time for a model's first words; then the next one is asked."`
	STTTimeout      time.Duration `env:"STT_TIMEOUT" envDefault:"30s" validate:"min=100ms,max=15m" doc:"Time for one attempt to transcribe a voice message."`
	TTSTimeout      time.Duration `env:"TTS_TIMEOUT" envDefault:"30s" validate:"min=100ms,max=15m" doc:"Time for one attempt to speak."`
	Attempts        int           `env:"VENDOR_ATTEMPTS" envDefault:"2" validate:"min=1,max=10" doc:"How often one vendor is asked in one call, the first time included, when it fails in a way that may pass."`
	Hedge           time.Duration `env:"VENDOR_HEDGE" envDefault:"0s" validate:"min=0,max=1m" doc:"Ask the second vendor as well when the first has not answered for so long; whoever is first is taken. Both may be billed. 0 is off."`
	BreakerFailures int           `env:"BREAKER_FAILURES" envDefault:"5" validate:"min=1,max=10000" doc:"Failures among a vendor's latest BREAKER_WINDOW attempts that open its circuit breaker; then it is left alone."`
	BreakerWindow   int           `env:"BREAKER_WINDOW" envDefault:"10" validate:"min=1,max=10000" doc:"Attempts the breaker looks at."`
	KeepWarm        time.Duration `env:"VENDOR_KEEP_WARM" envDefault:"45s" validate:"min=0,max=10m" doc:"A vendor, or Graph, of whom nothing was asked for so long is sent an empty request without a key, so that its connection stays open; 0 sends none."`
	BreakerDelay    time.Duration `env:"BREAKER_DELAY" envDefault:"15s" validate:"min=100ms,max=1h" doc:"How long a vendor is left alone before one call tries it again."`
	TTSLeast        time.Duration `env:"TTS_LEAST" envDefault:"2s" validate:"min=0,max=1m" doc:"With less than this left of TURN_TIMEOUT the answer goes out as text and is not spoken."`
}

// GeminiConfig serves the providers genai and, with key, address and model, gemini.
type GeminiConfig struct {
	Key      settings.Source `env:"GEMINI_API_KEY" doc:"Key of the Gemini API. Alone, it gives a bot that hears, thinks and speaks."`
	BaseURL  string          `env:"GEMINI_BASE_URL" validate:"omitempty,http_url" doc:"Address of the Gemini API, for a proxy; empty is Google's."`
	Model    string          `env:"GEMINI_MODEL" doc:"Model that answers."`
	STTModel string          `env:"GEMINI_STT_MODEL" doc:"Model that hears (genai)."`
	TTSModel string          `env:"GEMINI_TTS_MODEL" doc:"Model that speaks (genai)."`
	TTSVoice string          `env:"GEMINI_TTS_VOICE" doc:"Name of a prebuilt voice (genai)."`
	Thinking string          `env:"GEMINI_THINKING" doc:"How much the model thinks before it answers, as Gemini names it: minimal, low, medium, high (genai)."`
	Vertex   bool            `env:"GEMINI_VERTEX" envDefault:"false" doc:"Use Vertex AI in GOOGLE_CLOUD_PROJECT, with the application default credentials, in place of the Gemini API and its key (genai)."`
	Location string          `env:"VERTEX_LOCATION" doc:"Location of Vertex AI: a region, us, eu or global."`
}

// GoogleConfig serves googlespeech and googletts. Credentials are the application
// default ones.
type GoogleConfig struct {
	Project        string        `env:"GOOGLE_CLOUD_PROJECT" doc:"Google Cloud project of Speech-to-Text and Vertex AI."`
	SpeechAPI      string        `env:"GOOGLE_SPEECH_API" envDefault:"v2" validate:"oneof=v1 v2" doc:"Version of the Speech-to-Text API."`
	SpeechModel    string        `env:"GOOGLE_SPEECH_MODEL" doc:"Model that hears; empty is chirp_3 (v2) or the one for the clip's length (v1)."`
	SpeechLocation string        `env:"GOOGLE_SPEECH_LOCATION" doc:"Where sound is processed, such as us or eu."`
	Recognizer     string        `env:"GOOGLE_SPEECH_RECOGNIZER" doc:"Recognizer of v2, its id or whole path; empty is none."`
	SpeechEndpoint string        `env:"GOOGLE_SPEECH_ENDPOINT" doc:"Address of Speech-to-Text; empty follows the location. http:// is neither encrypted nor authenticated, for tests."`
	TTSEndpoint    string        `env:"GOOGLE_TTS_ENDPOINT" doc:"Address of Text-to-Speech; as above."`
	TTSLocation    string        `env:"GOOGLE_TTS_LOCATION" doc:"Region that speech is made in, such as eu."`
	TTSLanguage    string        `env:"GOOGLE_TTS_LANGUAGE" doc:"Language of answers whose language is not known."`
	TTSVoices      settings.List `env:"GOOGLE_TTS_VOICES" doc:"Voices by language, comma-separated: es-ES=es-ES-Chirp3-HD-Aoede,en-US=en-US-Chirp3-HD-Kore."`
}

// OpenAIConfig serves openai, which is every server that speaks OpenAI's API.
type OpenAIConfig struct {
	Key          settings.Source `env:"OPENAI_API_KEY" doc:"Key of OpenAI or of a server that speaks its API; servers of one's own may need none."`
	BaseURL      string          `env:"OPENAI_BASE_URL" validate:"omitempty,http_url" doc:"Address with its version segment: https://openrouter.ai/api/v1, http://localhost:11434/v1; empty is OpenAI's."`
	STTBaseURL   string          `env:"OPENAI_STT_BASE_URL" validate:"omitempty,http_url" doc:"The same for hearing alone, for a whisper server; empty is OPENAI_BASE_URL."`
	TTSBaseURL   string          `env:"OPENAI_TTS_BASE_URL" validate:"omitempty,http_url" doc:"The same for speaking alone; empty is OPENAI_BASE_URL."`
	LLMModel     string          `env:"OPENAI_LLM_MODEL" doc:"Model that answers."`
	STTModel     string          `env:"OPENAI_STT_MODEL" doc:"Model that hears."`
	TTSModel     string          `env:"OPENAI_TTS_MODEL" doc:"Model that speaks."`
	TTSVoice     string          `env:"OPENAI_TTS_VOICE" doc:"Voice that speaks."`
	TTSFormat    string          `env:"OPENAI_TTS_FORMAT" doc:"What the speech server is asked for: opus, or wav, mp3 or pcm where it has no Opus, which needs an encoder."`
	STTFormat    string          `env:"OPENAI_STT_FORMAT" validate:"omitempty,oneof=auto verbose_json json text" doc:"What a transcription is asked for in: verbose_json, json or text; empty follows the model's name."`
	SendWAV      bool            `env:"OPENAI_STT_WAV" envDefault:"false" doc:"Send voice messages as WAV, to servers that cannot read Ogg/Opus, such as whisper.cpp without ffmpeg."`
	TTSVoices    settings.List   `env:"OPENAI_TTS_VOICES" doc:"Voices by language, comma-separated: es=nova,en=alloy."`
	PCMRate      int             `env:"OPENAI_TTS_PCM_RATE" envDefault:"0" validate:"min=0,max=48000" doc:"Samples a second of the format pcm; 0 is 24,000."`
	TokenLimit   string          `env:"OPENAI_TOKEN_LIMIT" doc:"Field that bounds an answer: max_tokens or max_completion_tokens; empty follows the model's name."`
	OmitUsage    bool            `env:"OPENAI_OMIT_USAGE" envDefault:"false" doc:"Do not ask for token counts, which some servers refuse."`
	OmitUser     bool            `env:"OPENAI_OMIT_USER" envDefault:"false" doc:"Do not send the opaque key of the person."`
	Effort       string          `env:"OPENAI_REASONING_EFFORT" doc:"How much a reasoning model thinks before it answers."`
	Organization string          `env:"OPENAI_ORGANIZATION" doc:"Organisation that is billed."`
}

// AnthropicConfig serves anthropic.
type AnthropicConfig struct {
	Key     settings.Source `env:"ANTHROPIC_API_KEY" doc:"Key of the Claude API."`
	BaseURL string          `env:"ANTHROPIC_BASE_URL" validate:"omitempty,http_url" doc:"Address of the Claude API; empty is Anthropic's."`
	Model   string          `env:"ANTHROPIC_MODEL" doc:"Model that answers."`
}

// ElevenLabsConfig serves elevenlabs.
type ElevenLabsConfig struct {
	Key       settings.Source `env:"ELEVENLABS_API_KEY" doc:"Key of ElevenLabs."`
	BaseURL   string          `env:"ELEVENLABS_BASE_URL" validate:"omitempty,http_url" doc:"Address of ElevenLabs' API; empty is the vendor's."`
	STTModel  string          `env:"ELEVENLABS_STT_MODEL" doc:"Model that hears."`
	TTSModel  string          `env:"ELEVENLABS_TTS_MODEL" doc:"Model that speaks."`
	TTSVoice  string          `env:"ELEVENLABS_TTS_VOICE" doc:"Id of the voice."`
	TTSVoices settings.List   `env:"ELEVENLABS_TTS_VOICES" doc:"Ids of voices by language, comma-separated: es=ID,en=ID."`
	TTSFormat string          `env:"ELEVENLABS_TTS_FORMAT" doc:"Output format; the ones that are not opus_ need an encoder."`
}

// DeepgramConfig serves deepgram.
type DeepgramConfig struct {
	Key       settings.Source `env:"DEEPGRAM_API_KEY" doc:"Key of Deepgram."`
	BaseURL   string          `env:"DEEPGRAM_BASE_URL" validate:"omitempty,http_url" doc:"Address of Deepgram's API, such as https://api.eu.deepgram.com; empty is the vendor's global one."`
	STTModel  string          `env:"DEEPGRAM_STT_MODEL" doc:"Model that hears."`
	TTSModel  string          `env:"DEEPGRAM_TTS_MODEL" doc:"Voice that speaks its own language and texts whose language is not known: aura-2-thalia-en."`
	TTSVoices settings.List   `env:"DEEPGRAM_TTS_VOICES" doc:"Voices by language, comma-separated: es=aura-2-celeste-es,en=aura-2-thalia-en."`
	Training  bool            `env:"DEEPGRAM_TRAINING" envDefault:"false" doc:"Let Deepgram improve its models with what people say, for a lower price."`
}

// PatternAIConfig serves patternai.
type PatternAIConfig struct {
	BaseURL  string          `env:"PATTERNAI_BASE_URL" validate:"omitempty,http_url" doc:"Address of an agent's own services: /stt, /llm, /tts and /health."`
	Key      settings.Source `env:"PATTERNAI_API_KEY" doc:"Bearer token, if the services want one."`
	AgentID  string          `env:"PATTERNAI_AGENT_ID" doc:"agent_id of each question."`
	LLMModel string          `env:"PATTERNAI_LLM_MODEL" doc:"model_name of each question."`
	STTModel string          `env:"PATTERNAI_STT_MODEL" doc:"Header STT-Model."`
	TTSModel string          `env:"PATTERNAI_TTS_MODEL" doc:"Header TTS-Model."`
	OpusOnly bool            `env:"PATTERNAI_TTS_OPUS" envDefault:"false" doc:"The service answers with Ogg/Opus, so no encoder is needed."`
}

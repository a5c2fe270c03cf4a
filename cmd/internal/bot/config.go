package bot

import (
	"time"

	"whatsappnode/adapters/settings"
	"whatsappnode/app"
)

// Config is every setting of the program. The tags name the environment variable,
// its default, its rule and its meaning; env.example and the tables in the docs
// are checked against them.
type Config struct {
	Role string `env:"ROLE" envDefault:"all" validate:"oneof=all serve worker" doc:"What this process does: all, serve (webhook only) or worker (answers only). The sub-command of the same name wins. serve and worker need a store that several processes share."`

	CPUAlwaysOn bool `env:"CPU_ALWAYS_ON" envDefault:"false" doc:"States that the platform leaves this process its CPU between requests, as instance-based billing of Cloud Run does. Nothing inside a container can find it out; without the statement a process that answers on Cloud Run warns at its start."`

	AgentsFile string `env:"AGENTS_FILE" doc:"YAML file that describes several business numbers, each with its own words, voice, vendors, limits and credentials; docs/agents-file.md is its manual. What it leaves out is taken from the settings below, and none of them is required then. Unset: they describe the one bot that answers at every number of the account."`

	MCPServersFile string `env:"MCP_SERVERS_FILE" doc:"YAML file that names the MCP servers whose tools the model may call; docs/tools.md is its manual. Unset: no tools."`

	HTTP     HTTPConfig
	WhatsApp WhatsAppConfig
	Store    StoreConfig
	Sending  SendingConfig
	Vendors  VendorConfig
	Dialogue DialogueConfig
	Safety   SafetyConfig
	Budget   BudgetConfig
	Tools    ToolConfig
	People   PeopleConfig
	Handoff  HandoffConfig
	Admin    AdminConfig
	Log      LogConfig
	Trace    TraceConfig
}

// HTTPConfig is about the listeners.
type HTTPConfig struct {
	Port         int            `env:"PORT" envDefault:"8080" validate:"min=0,max=65535" doc:"Port of the public listener; 0 lets the system choose."`
	ListenAddr   string         `env:"LISTEN_ADDR" validate:"omitempty,listen" doc:"Address of the public listener; empty means 0.0.0.0 and PORT."`
	AdminAddr    string         `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9090" validate:"listen|eq=off" doc:"Address of the admin listener (metrics, readiness in detail, profiles); keep it off the public network. 'off' disables it, and nothing is counted."`
	MaxBody      settings.Bytes `env:"MAX_BODY" envDefault:"4MiB" validate:"min=1024" doc:"Largest webhook body. Meta sends up to 3 MB."`
	MaxConns     int            `env:"MAX_CONNECTIONS" envDefault:"16384" validate:"min=16,max=1000000" doc:"Connections that the public listener keeps open at once; further ones wait until one ends. Each takes a file descriptor: keep it below the limit of the process (ulimit -n, 25,000 on Cloud Run)."`
	DrainDelay   time.Duration  `env:"DRAIN_DELAY" envDefault:"0s" validate:"min=0,max=5m" doc:"How long after SIGTERM webhooks are still taken while /ready already says no, so that a balancer sends new ones elsewhere before the door closes. Together with DRAIN_TIMEOUT it must end before the platform kills; leave it 0 where nothing asks /ready, as on Cloud Run."`
	DrainTimeout time.Duration  `env:"DRAIN_TIMEOUT" envDefault:"8s" validate:"min=100ms,max=10m" doc:"How long requests and turns may go on after SIGTERM. Cloud Run kills after 10 s."`
}

// WhatsAppConfig is about Meta.
type WhatsAppConfig struct {
	AccessToken   settings.Source `env:"WHATSAPP_ACCESS_TOKEN,required,notEmpty" doc:"Token of the system user that sends the messages."`
	AppSecret     settings.Source `env:"WHATSAPP_APP_SECRET,required,notEmpty" doc:"App secret that signs the webhooks. Two, comma-separated, while it is being rotated."`
	VerifyToken   settings.Source `env:"WHATSAPP_VERIFY_TOKEN,required,notEmpty" doc:"Word of your choice that Meta repeats when the webhook address is saved."`
	PhoneNumberID string          `env:"WHATSAPP_PHONE_NUMBER_ID,required,notEmpty" validate:"numeric" doc:"Id of the business phone number (not the number itself)."`
	GraphBaseURL  string          `env:"GRAPH_BASE_URL" envDefault:"https://graph.facebook.com" validate:"http_url" doc:"Address of the Graph API."`
	GraphVersion  string          `env:"GRAPH_API_VERSION" envDefault:"v26.0" doc:"Version segment of the Graph API."`
	MediaHosts    []string        `env:"MEDIA_HOSTS" envDefault:"lookaside.fbsbx.com" validate:"min=1,dive,required" doc:"Hosts that media may be downloaded from, comma-separated. The access token goes nowhere else."`
	MaxMedia      settings.Bytes  `env:"MAX_MEDIA" envDefault:"16MiB" validate:"min=1024" doc:"Largest media object that is downloaded."`
}

// StoreConfig is about where messages and conversations are kept.
type StoreConfig struct {
	Kind  string        `env:"STORE" validate:"omitempty,oneof=embedded redis" doc:"embedded (one SQLite file, one process) or redis (Redis or Valkey, any number of processes). Unset: redis when REDIS_URL is set, else embedded."`
	Path  string        `env:"STORE_PATH" envDefault:"data/whatsapp-node.db" validate:"required" doc:"File of the embedded store. Its directory is made when missing."`
	Lease time.Duration `env:"LEASE_TIME" envDefault:"30s" validate:"min=1s,max=10m" doc:"How long a conversation stays with a worker that gives no sign of life."`

	Key  settings.Secret `env:"STORE_KEY" doc:"Key that seals what is stored, messages, answers, names and numbers: 32 random bytes in base64, as from openssl rand -base64 32. Keep a copy: without it nobody can read the store. Unset: stored text is not encrypted. docs/privacy.md says how a key is changed."`
	Keys settings.Secret `env:"STORE_KEYS" doc:"Several keys instead of STORE_KEY, while one replaces another: id:base64,id2:base64. The first seals, all open."`

	RetainHistory     time.Duration `env:"RETAIN_HISTORY" envDefault:"720h" validate:"min=1h,max=87600h" doc:"How long a conversation remembers what was said after its last answer; 720h are 30 days. Who comes back later is answered as a stranger."`
	RetainTranscripts time.Duration `env:"RETAIN_TRANSCRIPTS" envDefault:"216h" validate:"min=1h,max=87600h" doc:"How long a finished turn is kept: what was heard, what was answered, what became of it. Under 216h (9 days) the last statuses of a message find nothing any more."`
	RetainDeadLetters time.Duration `env:"RETAIN_DEADLETTERS" envDefault:"720h" validate:"min=1h,max=87600h" doc:"How long what could not be answered waits for an operator."`

	RedisURL        settings.Secret `env:"REDIS_URL" doc:"Address of Redis or Valkey: redis://user:password@host:6379/0, rediss:// for TLS, redis+cluster://a:6379,b:6379, redis+sentinel://a:26379/mymaster."`
	RedisUser       string          `env:"REDIS_USERNAME" doc:"ACL user; wins over the one in REDIS_URL when REDIS_PASSWORD is set."`
	RedisPassword   settings.Source `env:"REDIS_PASSWORD" doc:"Password, or short-lived token: as REDIS_PASSWORD_FILE it is read again at each new connection."`
	RedisAuth       string          `env:"REDIS_AUTH" envDefault:"password" validate:"oneof=password google" doc:"How the bot proves who it is: password (REDIS_PASSWORD or the URL) or google (a short-lived token of the service account, for Memorystore with IAM authentication)."`
	RedisCA         settings.Secret `env:"REDIS_CA" doc:"Certificates in PEM form that sign the server's, for rediss:// with a CA of its own, as Memorystore has; usually as REDIS_CA_FILE. Unset: those of the system."`
	RedisAck        string          `env:"REDIS_ACK" envDefault:"memory" doc:"What must have happened before a webhook gets its 200: memory, fsync (on the server's disk) or replicas:N (received by N replicas)."`
	RedisAckTimeout time.Duration   `env:"REDIS_ACK_TIMEOUT" envDefault:"1s" validate:"min=10ms,max=30s" doc:"How long the disk or the replicas may take to confirm; then the webhook gets 503 and Meta delivers it again."`
	RedisPrefix     string          `env:"REDIS_PREFIX" envDefault:"wa" doc:"Beginning of every key. Bots that share a server need different ones."`
	RedisPartitions int             `env:"REDIS_PARTITIONS" envDefault:"64" validate:"min=1,max=1024" doc:"Parts that conversations are spread over in a cluster. Fixed by the first start."`
}

// SendingConfig is about the limits Meta grants.
type SendingConfig struct {
	NumberRate     int           `env:"NUMBER_RATE" envDefault:"80" validate:"min=1,max=100000" doc:"Messages a second that a business number may send; Meta grants 80, and 1,000 after its upgrade."`
	RecipientBurst int           `env:"RECIPIENT_BURST" envDefault:"45" validate:"min=1,max=100000" doc:"Messages that one person may get at once."`
	RecipientEvery time.Duration `env:"RECIPIENT_EVERY" envDefault:"6s" validate:"min=1ms,max=10m" doc:"Time in which one more message may be sent to that person."`
}

// DialogueConfig is about how the bot talks.
type DialogueConfig struct {
	SystemPrompt    string         `env:"SYSTEM_PROMPT" envDefault:"You are the assistant of a business on WhatsApp. Answer its customers briefly and kindly, in the language they use, in plain sentences that can be read aloud." doc:"Who the bot is and what it may talk about."`
	Languages       settings.List  `env:"LANGUAGES" doc:"BCP 47 tags that users may speak, comma-separated, the likeliest first; es allows es-MX, too. Who speaks another language is told so. Empty allows all and lets the engines decide."`
	ReplyMode       app.ReplyMode  `env:"REPLY_MODE" envDefault:"voice" validate:"oneof=voice text mirror both" doc:"voice, text, mirror (the way the user wrote) or both. Every extra message costs money."`
	Fallback        string         `env:"FALLBACK_MESSAGE" envDefault:"Sorry, we couldn't process your request. Please try again later" validate:"required,max=4096" doc:"What the user reads when no answer can be made; at most once a turn."`
	Workers         int            `env:"WORKERS" envDefault:"64" validate:"min=1,max=20000" doc:"Turns that are worked on at once."`
	TurnTimeout     time.Duration  `env:"TURN_TIMEOUT" envDefault:"60s" validate:"min=1s,max=15m" doc:"Time for hearing, thinking and speaking of one turn; then the fallback message is sent."`
	BurstWindow     time.Duration  `env:"BURST_WINDOW" envDefault:"400ms" validate:"min=0,max=1m" doc:"Least time between a person's newest message and the answer. Hearing, thinking and speaking go on meanwhile, so it delays only answers that are made quicker. A message that comes before the answer left joins it."`
	BurstUnfinished time.Duration  `env:"BURST_UNFINISHED" envDefault:"1500ms" validate:"min=0,max=1m" doc:"How long a message that reads as if its writer goes on (a greeting, half a sentence) waits for the next one before it is thought about."`
	BurstLimit      time.Duration  `env:"BURST_LIMIT" envDefault:"15s" validate:"min=0,max=5m" doc:"How long after a turn began further messages still join it; later ones get an answer of their own. 0: none join once it began."`
	SpeakParallel   int            `env:"SPEAK_PARALLEL" envDefault:"4" validate:"min=1,max=64" doc:"Pieces of one answer that are spoken at once, while the model writes on. 1 speaks the whole answer in one piece once it is there: slower, for voices that need the whole text."`
	SendAside       bool           `env:"SEND_ASIDE" envDefault:"false" doc:"Send what a listener needs in writing (links, addresses, codes, tables) as a text message after the voice note. It is an extra message, which costs money."`
	HistoryMessages int            `env:"HISTORY_MESSAGES" envDefault:"20" validate:"min=0,max=1000" doc:"Remarks, of both sides, that a conversation remembers."`
	HistoryTokens   int            `env:"HISTORY_TOKENS" envDefault:"4000" validate:"min=0,max=1000000" doc:"Estimated tokens that a conversation remembers."`
	MaxSpokenChars  int            `env:"MAX_SPOKEN_CHARS" envDefault:"1500" validate:"min=1,max=20000" doc:"Longest answer, in characters, that is spoken; a longer one is sent as text. 1,500 are about 100 seconds."`
	MaxTokens       int            `env:"MAX_TOKENS" envDefault:"0" validate:"min=0,max=1000000" doc:"Longest answer of the model, in its tokens; 0 leaves it to the vendor. An answer that is cut ends with a whole sentence."`
	Temperature     *float64       `env:"TEMPERATURE" validate:"omitempty,min=0,max=2" doc:"How freely the model answers, from 0 to 2; unset leaves it to the vendor."`
	MinConfidence   float64        `env:"MIN_CONFIDENCE" envDefault:"0.35" validate:"min=0,max=1" doc:"Least confidence, from 0 to 1, with which a voice message must have been heard; below it the user is asked to repeat. Engines that do not say how sure they are are believed."`
	SettleWait      time.Duration  `env:"SETTLE_WAIT" envDefault:"30s" validate:"min=100ms,max=1h" doc:"How long a send without an answer waits for the status webhook that tells its outcome."`
	SendPolicy      app.SendPolicy `env:"SEND_POLICY" envDefault:"at_least_once" validate:"oneof=at_least_once at_most_once" doc:"What follows when that outcome stays unknown: send again, or give up."`
}

// LogConfig is about what operators read.
type LogConfig struct {
	Level  string          `env:"LOG_LEVEL" envDefault:"info" validate:"oneof=debug info warn error" doc:"debug, info, warn or error."`
	Format string          `env:"LOG_FORMAT" envDefault:"cloud" validate:"oneof=cloud console" doc:"cloud (JSON lines for Cloud Logging and others) or console."`
	Key    settings.Secret `env:"LOG_HASH_KEY" doc:"Key of the hashes that stand for users and messages in the log; unset: derived from the app secret."`
}

package bot

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/adminapi"
	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
)

// AdminConfig is about the admin API.
type AdminConfig struct {
	Token settings.Source `env:"ADMIN_TOKEN" doc:"Token that the calls of the admin API need (Authorization: Bearer), on the listener of ADMIN_ADDR; docs/takeover.md. Unset: every call is refused."`
}

// adminCalls are the calls of the admin API, by method and path.
func adminCalls(store OperatorStore, pauseFor time.Duration) map[string]adminapi.Call {
	decide := func(change func(adminapi.Request) (domain.ControlChange, error)) adminapi.Call {
		return func(ctx context.Context, req adminapi.Request) (any, error) {
			target, err := targetOf(req)
			if err != nil {
				return nil, err
			}
			ch, err := change(req)
			if err != nil {
				return nil, err
			}
			return operate.Decide(ctx, store, target, ch)
		}
	}
	plain := func(kind domain.ControlKind) adminapi.Call {
		return decide(func(adminapi.Request) (domain.ControlChange, error) { return domain.ControlChange{Kind: kind}, nil })
	}
	return map[string]adminapi.Call{
		"POST /v1/conversations/pause": decide(func(req adminapi.Request) (domain.ControlChange, error) {
			return adminapi.PauseOf(req, pauseFor)
		}),
		"POST /v1/conversations/resume":  plain(domain.ControlResume),
		"POST /v1/conversations/block":   plain(domain.ControlBlock),
		"POST /v1/conversations/unblock": plain(domain.ControlUnblock),
		"POST /v1/conversations/erase": func(ctx context.Context, req adminapi.Request) (any, error) {
			target, err := personOf(req)
			if err != nil {
				return nil, err
			}
			return store.Erase(ctx, target.Who)
		},
		"GET /v1/conversations/export": func(ctx context.Context, req adminapi.Request) (any, error) {
			target, err := personOf(req)
			if err != nil {
				return nil, err
			}
			// Whole before the first byte leaves: half an export would pass for all of it.
			var out bytes.Buffer
			if err := operate.ExportPerson(ctx, store, &out, target.Who, time.Now()); err != nil {
				return nil, err
			}
			return &out, nil
		},
	}
}

func targetOf(req adminapi.Request) (operate.Target, error) {
	target, err := operate.ParseTarget(req.Conversation, req.Phone, req.User)
	if err != nil {
		return target, adminapi.Refuse(err)
	}
	return target, nil
}

// personOf is for calls that are about a person, whose conversations belong together.
func personOf(req adminapi.Request) (operate.Target, error) {
	target, err := targetOf(req)
	if err == nil && target.Conversation != "" {
		err = adminapi.Refuse(errors.New("name the person by phone number or user id"))
	}
	return target, err
}

// adminAPI makes the handlers of the admin API.
func adminAPI(cfg Config, store OperatorStore, key []byte, log *zap.Logger) (map[string]http.Handler, error) {
	refs, err := telemetry.NewRefs(key)
	if err != nil {
		return nil, err
	}
	return adminapi.New(adminapi.Options{
		Token: cfg.Admin.Token.Current, Calls: adminCalls(store, cfg.People.PauseFor), Log: log,
		Ref: func(req adminapi.Request) string {
			return refs.Ref("who", req.Conversation+"/"+req.Phone+"/"+req.User)
		},
	})
}

package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
)

// controlCommands decide who is answered. The embedded store belongs to the bot while
// that runs; the admin API does the same then.
func controlCommands(getenv settings.Getenv, stdout io.Writer, opt *operate.Options) []*cobra.Command {
	var conversation, phone, user string
	var pauseFor time.Duration
	command := func(name, short string, kind domain.ControlKind) *cobra.Command {
		c := &cobra.Command{
			Use: name, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) (err error) {
				target, err := operate.ParseTarget(conversation, phone, user)
				if err != nil {
					return err
				}
				change := domain.ControlChange{Kind: kind}
				if kind == domain.ControlPause {
					if !cmd.Flags().Changed("for") {
						if pauseFor, err = bot.StandardPause(getenv); err != nil {
							return err
						}
					}
					change.For, change.By = pauseFor, domain.PausedByOrder
				}
				if err := change.Validate(); err != nil {
					return err
				}
				store, err := bot.OpenStore(cmd.Context(), getenv)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, store.Close()) }()
				return operate.Control(cmd.Context(), store, stdout, target, change, *opt)
			},
		}
		flags := c.Flags()
		flags.StringVar(&conversation, "conversation", "", "one conversation, by its id")
		flags.StringVar(&phone, "phone", "", "all conversations of the person with this phone number")
		flags.StringVar(&user, "user", "", "all conversations of the person with this user id")
		return c
	}
	pause := command("pause", "Keep the bot silent in a conversation, as somebody of the business takes it over", domain.ControlPause)
	pause.Flags().DurationVar(&pauseFor, "for", 0, "how long, such as 45m or 12h; PAUSE_FOR when left out")
	return []*cobra.Command{
		pause,
		command("resume", "End a pause; what is unanswered is answered at once", domain.ControlResume),
		command("block", "Answer a person no more", domain.ControlBlock),
		command("unblock", "Answer a person again", domain.ControlUnblock),
	}
}

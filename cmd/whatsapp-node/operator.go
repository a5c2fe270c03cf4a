package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
)

// operatorCommands are what an operator needs beside a running bot: look at a
// conversation, deal with dead letters, forget a person.
func operatorCommands(getenv settings.Getenv, stdout io.Writer) []*cobra.Command {
	var opt operate.Options
	with := func(do func(ctx context.Context, store bot.OperatorStore, arg string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) (err error) {
			store, err := bot.OpenStore(cmd.Context(), getenv)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			arg := ""
			if len(args) > 0 {
				arg = args[0]
			}
			return do(cmd.Context(), store, arg)
		}
	}
	letters := &cobra.Command{Use: "deadletters", Short: "Deal with the turns that were given up"}
	letters.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List them, newest first", Args: cobra.NoArgs,
			RunE: with(func(ctx context.Context, s bot.OperatorStore, _ string) error {
				return operate.DeadLettersList(ctx, s, stdout, opt)
			}),
		},
		&cobra.Command{
			Use: "show TURN", Short: "Show one with its messages", Args: cobra.ExactArgs(1),
			RunE: with(func(ctx context.Context, s bot.OperatorStore, turn string) error {
				return operate.DeadLettersShow(ctx, s, stdout, domain.TurnID(turn), opt)
			}),
		},
		&cobra.Command{
			Use: "replay TURN", Short: "Have its messages answered after all", Args: cobra.ExactArgs(1),
			RunE: with(func(ctx context.Context, s bot.OperatorStore, turn string) error {
				return operate.DeadLettersReplay(ctx, s, stdout, domain.TurnID(turn), opt)
			}),
		},
		&cobra.Command{
			Use: "drop TURN", Short: "Remove one for good", Args: cobra.ExactArgs(1),
			RunE: with(func(ctx context.Context, s bot.OperatorStore, turn string) error {
				return operate.DeadLettersDrop(ctx, s, stdout, domain.TurnID(turn), opt)
			}),
		},
	)
	inspect := &cobra.Command{
		Use: "inspect CONVERSATION", Short: "Show what is stored of a conversation", Args: cobra.ExactArgs(1),
		RunE: with(func(ctx context.Context, s bot.OperatorStore, id string) error {
			return operate.Inspect(ctx, s, stdout, domain.ConversationID(id), opt)
		}),
	}
	erase := &cobra.Command{
		Use: "erase USER", Short: "Forget a person, given by phone number or user id", Args: cobra.ExactArgs(1),
		RunE: with(func(ctx context.Context, s bot.OperatorStore, user string) error {
			return operate.Erase(ctx, s, stdout, user, opt)
		}),
	}
	var file string
	export := &cobra.Command{
		Use: "export USER", Short: "Write everything that is stored about a person as JSON", Args: cobra.ExactArgs(1),
		Long: "Write everything that is stored about a person, given by phone number or user id, as one JSON document:\n" +
			"words, names and numbers in full, for that person.",
		RunE: with(func(ctx context.Context, s bot.OperatorStore, user string) error {
			return operate.ExportTo(ctx, s, stdout, file, user)
		}),
	}
	export.Flags().StringVar(&file, "out", "", "file to write, which must not exist and only its owner may read; unset: standard output")
	reseal := &cobra.Command{
		Use: "reseal", Short: "Seal everything that is stored with the first key", Args: cobra.NoArgs,
		Long: "Seal with the first key (STORE_KEY, or the first of STORE_KEYS) every record that is plain or that another key\n" +
			"seals. A shared store may be in use meanwhile; the embedded one does it by itself at each start.",
		RunE: with(func(ctx context.Context, s bot.OperatorStore, _ string) error {
			return operate.Reseal(ctx, s, stdout, opt)
		}),
	}
	all := append([]*cobra.Command{letters, inspect, erase, export, reseal}, controlCommands(getenv, stdout, &opt)...)
	for _, c := range all {
		flags := c.PersistentFlags()
		flags.BoolVar(&opt.JSON, "json", false, "one JSON document in place of text")
		flags.BoolVar(&opt.Words, "words", false, "show texts, names and numbers in full")
		flags.IntVar(&opt.Limit, "limit", operate.DefaultLimit, "longest list")
	}
	for _, c := range []*cobra.Command{letters, erase} {
		c.PersistentFlags().BoolVar(&opt.Yes, "yes", false, "confirm what cannot be undone")
	}
	return all
}

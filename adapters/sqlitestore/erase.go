package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Find implements ports.ErasurePort.
func (s *Store) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	if err := who.Validate(); err != nil {
		return nil, invalid("find", err)
	}
	var out []domain.ConversationID
	err := s.view(ctx, "find", func(r *reader) error {
		return r.each(s.read.find, func(scan func(...any) error) error {
			var n int64
			var id domain.ConversationID
			err := scan(&n, &id)
			out = append(out, id)
			return err
		}, s.userName(who.UserID), s.phoneName(who.Phone))
	})
	return out, err
}

// Erase implements ports.ErasurePort. The rows go in one transaction. Their bytes
// are all over the file by then: in free space, in the write-ahead log, and in gaps
// that SQLite leaves when it moves records between pages, which secure_delete does
// not reach. So the file is built anew from what is left (VACUUM), and the log is
// folded into it and cut to nothing.
//
// That takes about a second for 100 MB, during which writes wait, and as much room
// on the disk again. It needs a moment in which nobody reads. When something of
// that fails, Erase fails with KindTransient though the rows are gone; repeating it
// does the rest. A person nobody knows costs nothing.
func (s *Store) Erase(ctx context.Context, who domain.Contact) (ports.Erased, error) {
	if err := who.Validate(); err != nil {
		return ports.Erased{}, invalid("erase", err)
	}
	var gone ports.Erased
	user, phone := s.userName(who.UserID), s.phoneName(who.Phone)
	err := s.do(ctx, "erase", 1, func(w *writer) (err error) {
		gone, err = w.erase(user, phone)
		return err
	})
	if err != nil {
		return ports.Erased{}, err
	}
	return gone, s.submit("erase", &job{ctx: ctx, weight: 1, alone: true, run: scrub, done: make(chan error, 1)})
}

// The values of user_version. The mark is set with the rows' removal and survives a
// crash before the file is clean.
const (
	markClean = `PRAGMA user_version = 0`
	markDirty = `PRAGMA user_version = 1`
)

// vacuumInMemory bounds the pages that VACUUM may build in memory, 64 MiB of them;
// more go through a temporary file.
const vacuumInMemory = 64 << 20 / 4096

var errLogBusy = errors.New("the log still holds what was erased: somebody is reading the file; repeat it")

// scrub makes a file clean from which rows were erased.
func scrub(w *writer) error {
	ctx := context.Background() // half of it would be no use
	var dirty, pages int
	if err := w.conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&dirty); err != nil || dirty == 0 {
		return err
	}
	if err := w.conn.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		return err
	}
	if pages > vacuumInMemory {
		if _, err := w.conn.ExecContext(ctx, `PRAGMA temp_store = file`); err != nil {
			return err
		}
		defer func() { _, _ = w.conn.ExecContext(ctx, `PRAGMA temp_store = memory`) }() // nothing else needs it
	}
	if _, err := w.conn.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("build the file anew: %w", err)
	}
	var busy, frames, folded int
	if err := w.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &folded); err != nil {
		return fmt.Errorf("fold the log: %w", err)
	}
	if busy != 0 {
		return &ports.Error{Op: "sqlitestore: erase", Kind: ports.KindTransient, Err: errLogBusy}
	}
	_, err := w.conn.ExecContext(ctx, markClean)
	return err
}

func (w *writer) erase(user, phone string) (ports.Erased, error) {
	var gone ports.Erased
	convs, err := w.conversationsOf(user, phone)
	if err != nil {
		return gone, err
	}
	users := map[string]bool{user: true}
	for _, n := range convs {
		if err := w.forget(n, users, &gone); err != nil {
			return gone, err
		}
	}
	if err := w.disown(users, &gone); err != nil {
		return gone, err
	}
	if gone == (ports.Erased{}) {
		return gone, nil
	}
	return gone, w.script(markDirty) // unlearns, too
}

// forget removes one conversation with its names, and adds whose they were to users.
func (w *writer) forget(n int64, users map[string]bool, gone *ports.Erased) error {
	names, err := column[string](w, stUsersOf, n)
	if err != nil {
		return err
	}
	for _, u := range names {
		users[u] = true
	}
	return w.eraseConversation(n, gone)
}

// disown removes users from numbers that lead elsewhere by now and were last seen with
// one of them.
func (w *writer) disown(users map[string]bool, gone *ports.Erased) error {
	delete(users, "")
	for u := range users {
		if err := w.count(&gone.Names, stEraseOwner, u); err != nil {
			return err
		}
	}
	return nil
}

// conversationsOf returns the conversations a person's names lead to, and those that
// lost their last name to one of them.
func (w *writer) conversationsOf(user, phone string) ([]int64, error) {
	rows, err := w.st[stFindConversations].Query(user, phone)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var found []int64
	for rows.Next() {
		var n int64
		var id domain.ConversationID
		if err := rows.Scan(&n, &id); err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for _, n := range found {
		seen[n] = true
	}
	for i := 0; i < len(found); i++ {
		former, err := column[int64](w, stHeirs, found[i])
		if err != nil {
			return nil, err
		}
		for _, n := range former {
			if !seen[n] {
				seen[n] = true
				found = append(found, n)
			}
		}
	}
	return found, nil
}

func (w *writer) eraseConversation(n int64, gone *ports.Erased) error {
	var uncounted int
	for _, step := range []struct {
		count *int
		st    int
	}{
		{&uncounted, stEraseFacts},
		{&uncounted, stEraseSends},
		{&gone.DeadLetters, stEraseDead},
		{&gone.Messages, stEraseDeadMessages},
		{&gone.Turns, stEraseTurns},
		{&gone.Messages, stEraseInbox},
		{&uncounted, stEraseMemory},
		{&gone.MessageIDs, stEraseIDs},
		{&uncounted, stEraseHeirs},
		{&gone.Names, stEraseAliases},
		{&gone.Conversations, stEraseConversation},
	} {
		if err := w.count(step.count, step.st, n); err != nil {
			return err
		}
	}
	return nil
}

// count runs a statement and adds how many rows it changed.
func (w *writer) count(sum *int, st int, arg any) error {
	n, err := w.exec(st, arg)
	*sum += int(n)
	return err
}

// column runs a prepared query for one column.
func column[T any](w *writer, st int, args ...any) ([]T, error) {
	rows, err := w.st[st].Query(args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

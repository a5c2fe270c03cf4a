package sqlitestore

import (
	"context"

	"whatsappnode/ports"
)

// Exec runs SQL on the writer's connection, outside of a transaction's reach: it
// lets tests make the store fail and look at what it keeps.
func (s *Store) Exec(sql string) error {
	return s.do(context.Background(), "test", 1, func(w *writer) error {
		return w.script(sql)
	})
}

// Write runs fn as one write. exec runs SQL in it; told, when set, is called once the
// write is durable.
func (s *Store) Write(fn func(exec func(sql string) error) error, told func()) error {
	return s.submit("test", &job{
		ctx: context.Background(), weight: 1, done: make(chan error, 1), kept: told,
		run: func(w *writer) error { return fn(w.script) },
	})
}

// Panic panics with value in the middle of a write.
func (s *Store) Panic(value any) error {
	return s.do(context.Background(), "test", 1, func(*writer) error { panic(value) })
}

// Count runs a query for one number on a reading connection.
func (s *Store) Count(query string) (n int, err error) {
	err = s.readers.QueryRow(query).Scan(&n)
	return n, err
}

// Sweep removes what has expired, now.
func (s *Store) Sweep(ctx context.Context) error { return s.sweepAll(ctx) }

// SweepPiece is how many records one piece of a sweep removes.
const SweepPiece = sweepPiece

// Column runs a query for one column of text on a reading connection.
func (s *Store) Column(query string) ([]string, error) {
	rows, err := s.readers.Query(query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Reconnect makes the writer replace its connection before the next transaction,
// as after an I/O error.
func (s *Store) Reconnect() error {
	return s.do(context.Background(), "test", 1, func(w *writer) error {
		w.stale = true
		return nil
	})
}

// FindText is the query behind Find.
const FindText = findText

// Plan explains how a query would be answered.
func (s *Store) Plan(query string, args ...any) ([]string, error) {
	rows, err := s.readers.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		out = append(out, detail)
	}
	return out, rows.Err()
}

// Buckets counts the buckets the pacer remembers.
func (s *Store) Buckets() int {
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	return len(s.pace.full)
}

// LeaseWith is a Lease that runs fn when the conversation is claimed, and the caller
// does not know it yet.
func (s *Store) LeaseWith(fn func()) (ports.Work, error) {
	g := &grant{to: make(chan *grant, 1)}
	s.waiting.add(g)
	s.poke <- struct{}{}
	<-g.to
	fn()
	return s.take(g)
}

// Held is how many leases the store remembers to tell of news.
func (s *Store) Held() int { return s.news.Len() }

// Statements are the texts of what the writer runs.
func Statements() []string { return statementText[:] }

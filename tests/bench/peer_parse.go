// What github.com/cretz/bine makes of a recording: peer_parse FILE ROUNDS
// As parse_time.c, with the same line of JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cretz/bine/control"
)

type found struct {
	Messages uint64 `json:"messages"`
	Events   uint64 `json:"events"`
	Parts    uint64 `json:"parts"`
	Octets   uint64 `json:"octets"`
	Us       int64  `json:"us"`
	Rss      int64  `json:"rss_kb"`
}

// A connection that only says something.
type recording struct{ *os.File }

func (recording) Write(p []byte) (int, error) { return len(p), nil }

// As Conn hands an event to those who wait for it; nothing else of it can be
// called without a Tor that answers.
func event(r *control.Response) control.Event {
	if len(r.Data) > 1 {
		return control.ParseEvent(control.EventCode(r.Data[0]), "",
			r.Data[1:])
	}
	line := r.Reply
	if len(r.Data) == 1 {
		line = r.Data[0]
	}
	at := strings.IndexAny(line, " \r")
	if at == -1 {
		return control.ParseEvent(control.EventCode(line), "", nil)
	}
	return control.ParseEvent(control.EventCode(line[:at]), line[at+1:],
		nil)
}

func (f *found) part(text string) {
	f.Parts++
	f.Octets += uint64(len(text))
	// A line end of ours is one octet.
	if strings.Contains(text, "\r\n") {
		f.Octets--
	}
}

func once(path string) (found, error) {
	var f found
	file, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer file.Close()
	conn := control.NewConn(textproto.NewConn(recording{file}))
	for {
		r, err := conn.ReadResponse()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		f.Messages++
		if r.IsAsync() {
			f.Events++
			if event(r) == nil {
				return f, errors.New("no event")
			}
		}
		for _, text := range r.Data {
			f.part(text)
		}
		f.part(r.Reply)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return errors.New("usage: peer_parse FILE ROUNDS")
	}
	rounds, err := strconv.Atoi(os.Args[2])
	if err != nil || rounds < 1 {
		return errors.New("how many rounds?")
	}
	var f found
	times := make([]int64, rounds)
	for i := range times {
		begin := time.Now()
		if f, err = once(os.Args[1]); err != nil {
			return err
		}
		times[i] = time.Since(begin).Microseconds()
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	f.Us = times[rounds/2]
	var used syscall.Rusage
	if err = syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	f.Rss = used.Maxrss
	return json.NewEncoder(os.Stdout).Encode(f)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer_parse:", err)
		os.Exit(1)
	}
}

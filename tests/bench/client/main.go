// A load client that costs little CPU: prepared HTTP/1.1 requests over TLS, answers read and dropped.
//
// It runs on the same cores as the servers that are compared, so what it costs blurs the difference between them: a
// client in Python takes several times what a request costs the server. Work comes as lines of JSON on standard input,
// figures go as lines of JSON to standard output (tests/bench/client.py speaks to it).
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Request is what to send; {n} in path and body stands for the number of the request.
type Request struct {
	Method, Path, Body, Content string
}

// Work is a line of input: Count times Request from Clients connections, each one at a time; or, with Watchers,
// Count requests at Rate a second while so many watches of Watch follow what comes of them.
type Work struct {
	Addresses []string
	Request   Request
	Count     int
	Clients   int
	// Connect opens connections for the next line of input, and does nothing else: what handshakes cost is not measured.
	Connect  bool
	Watchers int
	Watch    string
	Rate     float64
	// Marker stands in the name of each object that Request creates, right before {n} and a quote.
	Marker string
}

// Figures is a line of output. Latencies are in microseconds; of very many, evenly spaced ones in order of size.
type Figures struct {
	Seconds   float64
	Latencies []int64
	Missing   int
}

const mostLatencies = 20_000

type connection struct {
	*tls.Conn
	reader *bufio.Reader
}

type client struct {
	config      *tls.Config
	connections []*connection
}

func main() {
	ca, cert, key := flag.String("ca", "", "PEM"), flag.String("cert", "", "PEM"), flag.String("key", "", "PEM")
	flag.Parse()
	client := &client{config: tlsConfig(*ca, *cert, *key)}
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var work Work
		if err := input.Decode(&work); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		do := client.load
		if work.Connect {
			do = client.open
		} else if work.Watchers > 0 {
			do = client.watch
		}
		if err := output.Encode(do(work)); err != nil {
			log.Fatal(err)
		}
	}
}

func tlsConfig(ca, cert, key string) *tls.Config {
	pem, err := os.ReadFile(ca)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
}

// connect opens connection number n, spread over the addresses in turn.
func (c *client) connect(addresses []string, n int) *connection {
	conn, err := tls.Dial("tcp", addresses[n%len(addresses)], c.config)
	if err != nil {
		log.Fatal(err)
	}
	return &connection{conn, bufio.NewReaderSize(conn, 1<<16)}
}

// send writes request number n.
func (c *connection) send(request Request, n int) {
	number := strconv.Itoa(n)
	path, body := strings.ReplaceAll(request.Path, "{n}", number), strings.ReplaceAll(request.Body, "{n}", number)
	_, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: application/json\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s", request.Method, path, request.Content, len(body), body)
	if err != nil {
		log.Fatal(err)
	}
}

// head reads the head of an answer. Any status but 200 and 201 ends the program: figures of errors mean nothing.
func (c *connection) head() *http.Response {
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode > http.StatusCreated {
		body, _ := io.ReadAll(answer.Body)
		log.Fatalf("%s: %s", answer.Status, body)
	}
	return answer
}

// ask sends request number n and reads the whole answer.
func (c *connection) ask(request Request, n int) time.Duration {
	begin := time.Now()
	c.send(request, n)
	answer := c.head()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		log.Fatal(err)
	}
	return time.Since(begin)
}

// open makes the connections for the next work.
func (c *client) open(work Work) Figures {
	for index := range work.Clients {
		c.connections = append(c.connections, c.connect(work.Addresses, index))
	}
	return Figures{}
}

// load does requests number 0 to Count - 1, by connections that are open.
func (c *client) load(work Work) Figures {
	latencies := make([]int64, work.Count)
	connections := c.connections
	c.connections = nil
	var next atomic.Int64
	var group sync.WaitGroup
	begin := time.Now()
	for _, connection := range connections {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := int(next.Add(1)) - 1; n < work.Count; n = int(next.Add(1)) - 1 {
				latencies[n] = connection.ask(work.Request, n).Microseconds()
			}
		}()
	}
	group.Wait()
	seconds := time.Since(begin).Seconds()
	for _, connection := range connections {
		connection.Close()
	}
	return Figures{Seconds: seconds, Latencies: latencies}
}

// watch measures from the moment at which a request is sent to the moments at which the watches show its object.
func (c *client) watch(work Work) Figures {
	sent := make([]atomic.Int64, work.Count)
	lags := make(chan []int64, work.Watchers)
	done := time.Now().Add(time.Duration(float64(work.Count)/work.Rate*float64(time.Second)) + 60*time.Second)
	var opening sync.WaitGroup
	for index := range work.Watchers {
		opening.Add(1)
		watcher := c.connect(work.Addresses, index)
		watcher.send(Request{Method: "GET", Path: work.Watch, Content: "application/json"}, 0)
		go func() {
			answer := watcher.head()
			opening.Done()
			_ = watcher.SetReadDeadline(done)
			lags <- follow(answer.Body, work, sent)
			watcher.Close()
		}()
	}
	opening.Wait()
	time.Sleep(time.Second)
	begin := time.Now()
	c.write(work, sent)
	seconds := time.Since(begin).Seconds()
	var all []int64
	for range work.Watchers {
		all = append(all, <-lags...)
	}
	missing := work.Count*work.Watchers - len(all)
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return Figures{Seconds: seconds, Latencies: thinned(all), Missing: missing}
}

// write sends the requests at their time, whatever becomes of earlier ones.
func (c *client) write(work Work, sent []atomic.Int64) {
	free := make(chan *connection, work.Clients)
	for index := range work.Clients {
		free <- c.connect(work.Addresses, index)
	}
	begin := time.Now()
	for n := range work.Count {
		time.Sleep(time.Until(begin.Add(time.Duration(float64(n) / work.Rate * float64(time.Second)))))
		connection := <-free
		sent[n].Store(time.Now().UnixNano())
		go func() {
			connection.ask(work.Request, n)
			free <- connection
		}()
	}
	for range work.Clients {
		(<-free).Close()
	}
}

// follow reads events until each object has been seen once, or the time is over.
func follow(events io.Reader, work Work, sent []atomic.Int64) []int64 {
	reader, marker := bufio.NewReaderSize(events, 1<<16), []byte(work.Marker)
	seen, lags := make([]bool, work.Count), make([]int64, 0, work.Count)
	for len(lags) < work.Count {
		line, err := reader.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
		at := bytes.Index(line, marker)
		if at < 0 {
			continue
		}
		digits := line[at+len(marker):]
		n, err := strconv.Atoi(string(digits[:max(0, bytes.IndexByte(digits, '"'))]))
		if err == nil && n < work.Count && !seen[n] {
			seen[n] = true
			lags = append(lags, (time.Now().UnixNano()-sent[n].Load())/1000)
		}
	}
	return lags
}

func thinned(sorted []int64) []int64 {
	if len(sorted) <= mostLatencies {
		return sorted
	}
	some := make([]int64, mostLatencies)
	for index := range some {
		some[index] = sorted[index*(len(sorted)-1)/(mostLatencies-1)]
	}
	return some
}

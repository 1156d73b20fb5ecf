package json_test

import (
	std "encoding/json"
	"reflect"
	"strings"
	"testing"

	"wimscope/worker/json"
	"wimscope/worker/protocol"
)

// bodies returns one of each body that goes over the wire.
func bodies() []any {
	return []any{
		&protocol.OpenRequest{}, &protocol.Archive{}, &protocol.ListRequest{}, &protocol.ListReply{}, &protocol.TreeRequest{}, &protocol.TreeReply{}, &protocol.FindRequest{}, &protocol.Row{}, &protocol.StatRequest{}, &protocol.Details{},
		&protocol.ReadRequest{}, &protocol.ReadReply{}, &protocol.SearchRequest{}, &protocol.SearchReply{}, &protocol.UsesRequest{}, &protocol.UsesReply{}, &protocol.XMLReply{}, &protocol.VersionRequest{}, &protocol.VersionReply{}, &protocol.WindowsReply{},
		&protocol.StatusReply{}, &protocol.PlanRequest{}, &protocol.PlanReply{}, &protocol.ShardRequest{}, &protocol.ShardReply{}, &protocol.PartsRequest{}, &protocol.ForgetRequest{}, &protocol.RunRequest{}, &protocol.RunReply{},
		&protocol.RunProgress{}, &protocol.MergeRequest{}, &protocol.MergeReply{}, &protocol.FinishRequest{}, &protocol.Report{}, &protocol.OutOpenRequest{}, &protocol.OutSegmentRequest{}, &protocol.OutProgress{}, &protocol.OutReply{},
		&protocol.Error{}, &protocol.Elsewhere{},
	}
}

// fill sets everything that v holds to a non-empty value.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("ü\"\\\n\u2028<\x01😀", *n%3) + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(-1 << (v.Type().Bits() - 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<v.Type().Bits() - 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	default:
		panic(v.Type().String())
	}
}

// Every body, full and empty, encodes and decodes the same with encoding/json, in both directions.
func TestJSONLikeEncodingJSON(t *testing.T) {
	n := 0
	for _, full := range []bool{false, true} {
		for _, v := range bodies() {
			p := reflect.ValueOf(v)
			if full {
				fill(p.Elem(), &n)
			}
			name := p.Elem().Type().Name()
			ours, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			theirs, err := std.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			back, read := reflect.New(p.Elem().Type()), reflect.New(p.Elem().Type())
			if err := std.Unmarshal(ours, back.Interface()); err != nil {
				t.Fatalf("%s: encoding/json does not read ours: %v\n%s", name, err, ours)
			}
			if err := json.Unmarshal(theirs, read.Interface()); err != nil {
				t.Fatalf("%s: we do not read encoding/json's: %v\n%s", name, err, theirs)
			}
			if full && (!reflect.DeepEqual(back.Interface(), v) || !reflect.DeepEqual(read.Interface(), v)) {
				t.Errorf("%s: %s and %s differ", name, ours, theirs)
			}
			if !full && strings.Contains(string(ours), "null") {
				t.Errorf("%s: null in %s", name, ours)
			}
		}
	}
}

func TestUnmarshal(t *testing.T) {
	for _, test := range []struct {
		text string
		ok   bool
	}{
		{`{"start":1000,"sort":"a\u00e9\ud83d\ude00\/","desc":true,"node":-5}`, true},
		{` { "start" : 1000 , "more" : [1,{"x":[null,true,false,"y"]},2.5e-3] } `, true},
		{`null`, true}, {`{}`, true}, {`{"sort":null}`, true},
		{``, false}, {`{`, false}, {`[]`, false}, {`{}x`, false}, {`{"start":1.5}`, false}, {`{"start":1e3}`, false}, {`{"x":01}`, false}, {`{"x":1.}`, false}, {`{"x":-}`, false}, {`{"x":1e}`, false}, {`{"x":-0.0e-10}`, true}, {`{"node":4294967296}`, false},
		{`{"sort":5}`, false}, {`{"sort":"a`, false}, {`{"sort":"\x"}`, false}, {`{"sort":"\u12"}`, false}, {`{"desc":1}`, false},
		{`{"start":"1"}`, false}, {`{start:1}`, false}, {`{"start":1,}`, false}, {"{\"sort\":\"\n\"}", false}, {`{"start":+1}`, false}, {`{"start":--1}`, false},
		{strings.Repeat(`{"x":`, 100000), false}, {`{"x":` + strings.Repeat("[", 1000), false},
	} {
		var r protocol.ListRequest
		if err := json.Unmarshal([]byte(test.text), &r); (err == nil) != test.ok {
			t.Errorf("%.60s: %v", test.text, err)
		} else if strings.Contains(test.text, "1000") && test.ok && r.Start != 1000 {
			t.Errorf("%s: %+v", test.text, r)
		}
	}
	var r protocol.ListRequest
	if err := json.Unmarshal([]byte(`{"sort":"a\u00e9\ud83d\ude00\/\ud800x\udc00"}`), &r); err != nil || r.Sort != "aé😀/\ufffdx\ufffd" {
		t.Errorf("%q, %v", r.Sort, err)
	}
	if err := json.Unmarshal([]byte(`{}`), r); err == nil {
		t.Error("decoded into a value that is not a pointer")
	}
	if _, err := json.Marshal(struct{ F func() }{}); err == nil {
		t.Error("encoded a function")
	}
}

// Everything that decodes as a body is the same after encoding it and decoding it with this package or with
// encoding/json.
func FuzzJSON(f *testing.F) {
	n := 0
	for _, v := range bodies() {
		fill(reflect.ValueOf(v).Elem(), &n)
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range bodies() {
			if json.Unmarshal(b, v) != nil {
				continue
			}
			if !std.Valid(b) {
				t.Fatalf("%q is not JSON, and was decoded as %+v", b, v)
			}
			out, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			again, theirs := reflect.New(reflect.TypeOf(v).Elem()), reflect.New(reflect.TypeOf(v).Elem())
			if err := json.Unmarshal(out, again.Interface()); err != nil {
				t.Fatal(err)
			}
			if err := std.Unmarshal(out, theirs.Interface()); err != nil {
				t.Fatal(err)
			}
			third, err := json.Marshal(again.Interface())
			if err != nil || string(third) != string(out) {
				t.Fatalf("%s, then %s: %v", out, third, err)
			}
			if fourth, err := json.Marshal(theirs.Interface()); err != nil || string(fourth) != string(out) {
				t.Fatalf("%s, by encoding/json %s: %v", out, fourth, err)
			}
		}
	})
}

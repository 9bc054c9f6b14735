// A GitOps agent on the engine of Argo CD: it keeps a cache of the API by list and watch, compares it with manifests,
// applies what differs and prunes what is no longer there.
//
// Each line of JSON on standard input holds manifests, and gets a line of JSON on standard output that says what
// differed; with Sync, what was done about it too (tests/integration/clients/test_gitops.py speaks to it).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/engine"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	managed = "gitops.test/application"
	timeout = 50 * time.Second
)

// Request is a line of input: all Manifests of an Application, which live in Namespace unless they say otherwise.
type Request struct {
	Application, Namespace string
	Manifests              []*unstructured.Unstructured
	Sync, ServerSideApply  bool
}

// Answer is a line of output: what differs or is to be pruned, what was done about it, and what went wrong.
type Answer struct {
	Differing []string
	Results   map[string]string
	Error     string
}

type application struct{ name string }

type agent struct {
	cache  cache.ClusterCache
	engine engine.GitOpsEngine
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	cluster := cache.NewClusterCache(config, cache.SetPopulateResourceInfoHandler(applicationOf))
	agent := agent{cluster, engine.NewEngine(config, cluster)}
	stop, err := agent.engine.Run()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var request Request
		if err := input.Decode(&request); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := output.Encode(agent.answer(request)); err != nil {
			log.Fatal(err)
		}
	}
}

func applicationOf(obj *unstructured.Unstructured, _ bool) (any, bool) {
	name := obj.GetAnnotations()[managed]
	return &application{name}, name != ""
}

func (a agent) answer(request Request) Answer {
	for _, manifest := range request.Manifests {
		annotations := manifest.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[managed] = request.Application
		manifest.SetAnnotations(annotations)
	}
	answer := Answer{Results: map[string]string{}}
	var err error
	if answer.Differing, err = a.differing(request); err == nil && request.Sync {
		err = a.sync(request, answer.Results)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	return answer
}

func (a agent) differing(request Request) ([]string, error) {
	live, err := a.cache.GetManagedLiveObjs(request.Manifests, isManagedBy(request.Application))
	if err != nil {
		return nil, err
	}
	wanted := sync.Reconcile(request.Manifests, live, request.Namespace, a.cache)
	found, err := diff.DiffArray(wanted.Target, wanted.Live)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for i, one := range found.Diffs {
		if obj := wanted.Target[i]; one.Modified && obj != nil {
			names = append(names, obj.GetKind()+"/"+obj.GetName())
		} else if obj := wanted.Live[i]; one.Modified {
			names = append(names, obj.GetKind()+"/"+obj.GetName())
		}
	}
	return names, nil
}

func (a agent) sync(request Request, results map[string]string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	done, err := a.engine.Sync(
		ctx, request.Manifests, isManagedBy(request.Application), "revision", request.Namespace,
		sync.WithPrune(true), sync.WithServerSideApply(request.ServerSideApply),
		sync.WithServerSideApplyManager("argocd-controller"),
	)
	for _, one := range done {
		results[one.ResourceKey.Kind+"/"+one.ResourceKey.Name] = string(one.Status) + ": " + one.Message
	}
	return err
}

func isManagedBy(name string) func(*cache.Resource) bool {
	return func(resource *cache.Resource) bool {
		found, ok := resource.Info.(*application)
		return ok && found.name == name
	}
}


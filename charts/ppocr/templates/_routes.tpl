{{/* Hosts of a route: `list $ HOSTNAMES SUFFIX`. */}}
{{- define "ppocr.hostnames" -}}
{{- $root := index . 0 -}}
{{- $default := printf "%s%s-%s.%s" (include "ppocr.fullname" $root) (index . 2) $root.Release.Namespace $root.Values.gateway.domain -}}
{{- index . 1 | default (list $default) | toYaml -}}
{{- end -}}

{{/* The hosts of a route of the gateway, of the same list; "*" in HOSTNAMES stands for every host and address, which a route without hosts has. */}}
{{- define "ppocr.routeHostnames" -}}
{{- if not (has "*" (index . 1)) -}}
hostnames:
  {{- include "ppocr.hostnames" . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* One host that a route takes: `list $ HOSTNAMES SUFFIX`. */}}
{{- define "ppocr.oneHostname" -}}
{{- include "ppocr.hostnames" (list (index . 0) (without (index . 1) "*") (index . 2)) | fromYamlArray | first -}}
{{- end -}}

{{/* How long a gateway waits: longer than the service's own limit, so that the service says what happened. Gateway API's durations have
at most five digits: from 100,000 s on it is hours, and 99,999 of them at most. */}}
{{- define "ppocr.gatewayTimeout" -}}
{{- $stable := first (include "ppocr.tracks" . | fromJson).tracks -}}
{{- $settings := include "ppocr.settings" (dict "track" $stable "part" "transformer") | fromJson -}}
{{- $seconds := add 5 (ceil (dig "request_timeout_seconds" 60 $settings) | min 1e9 | int) -}}
{{- if lt $seconds 100000 }}{{ printf "%ds" $seconds }}{{ else }}{{ printf "%dh" (min 99999 (add 1 (div $seconds 3600))) }}{{ end -}}
{{- end -}}

{{/* What the HTTPRoute publishes, as a JSON array of path matches. */}}
{{- define "ppocr.paths" -}}
{{- $groups := .Files.Get "files/paths.json" | fromJson -}}
{{- $found := list -}}
{{- range .Values.gateway.publish }}{{ $found = concat $found (get $groups . | default list) }}{{ end -}}
{{- if has "everything" .Values.gateway.publish }}{{ $found = list (dict "type" "PathPrefix" "value" "/") }}{{ end -}}
{{- uniq $found | toJson -}}
{{- end -}}

{{/* Fails where something of Envoy Gateway's is asked for, and `envoyGateway` doesn't say that it is the gateway. */}}
{{- define "ppocr.needsEnvoyGateway" -}}
{{- $envoy := .Values.gateway.envoy -}}
{{- $asked := or $envoy.apiKeySecret $envoy.jwt.issuer $envoy.requestsPerSecond $envoy.maxBody $envoy.clientTrafficPolicy.enabled -}}
{{- if and $asked (not (include "ppocr.envoyGateway" .)) -}}
{{- fail "gateway.envoy needs gateway.envoyGateway" -}}
{{- end -}}
{{- end -}}

{{/* "true" where the gateway is Envoy Gateway. */}}
{{- define "ppocr.envoyGateway" -}}
{{- $kind := toString .Values.gateway.envoyGateway -}}
{{- if and .Values.gateway.enabled (or (eq $kind "true") (and (eq $kind "auto") (.Capabilities.APIVersions.Has "gateway.envoyproxy.io/v1alpha1/BackendTrafficPolicy"))) }}true{{ end -}}
{{- end -}}

{{/* The routes of some kinds as the targets of a policy: `list $ KIND…`. By labels, which the routes of `ppocr rollout` have too. */}}
{{- define "ppocr.routesOf" -}}
{{- range rest . }}
- group: gateway.networking.k8s.io
  kind: {{ . }}
  matchLabels:
    {{- include "ppocr.selectorLabels" (first $) | nindent 4 }}
{{- end }}
{{- end -}}

{{/* Envoy's own limit of requests a second. */}}
{{- define "ppocr.rateLimit" -}}
{{- with .Values.gateway.envoy.requestsPerSecond -}}
rateLimit:
  type: Local
  local:
    rules:
      - limit: {requests: {{ int . }}, unit: Second}
{{- end -}}
{{- end -}}

{{/* The header by which a rule of a route chooses the canary. */}}
{{- define "ppocr.headerMatch" -}}
headers:
  - type: Exact
    name: {{ .Values.canary.match.header | quote }}
    value: {{ required "canary.match.value is needed with canary.match.header" .Values.canary.match.value | quote }}
{{- end -}}

{{/*
What the API server would fill in. It is written out, as lists of a route belong to one manager as a whole: who applies on the server's
side would come into a conflict with whoever made the object, over values that nobody has set.
*/}}
{{- define "ppocr.serviceRef" -}}
group: ""
kind: Service
{{- end -}}

{{- define "ppocr.parentRefs" -}}
{{- range .Values.gateway.parentRefs }}
- {{- toYaml (merge (dict) . (dict "group" "gateway.networking.k8s.io" "kind" "Gateway")) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The tracks by their weights: `list $ TRACKS PORT`, PORT `http` or `grpc`. */}}
{{- define "ppocr.backends" -}}
{{- $canary := (index . 0).Values.canary -}}
{{- $port := index . 2 -}}
{{- range $track := index . 1 }}
- name: {{ include "ppocr.front" (dict "track" $track) }}
  port: {{ ternary 80 (int $track.values.transformer.ports.grpc) (eq $port "http") }}
  {{- include "ppocr.serviceRef" . | nindent 2 }}
  weight: {{ ternary (int (ternary $canary.weight (sub 100 $canary.weight) (eq $track.name "canary"))) 1 $canary.enabled }}
{{- end }}
{{- end -}}

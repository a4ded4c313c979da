{{/*
What the schema can't say: values that don't fit each other, and that only a controller would complain of, when Helm has long said
"deployed". Fails with all that is wrong at once.
*/}}
{{- define "ppocr.checks" -}}
{{- $found := list -}}
{{- range $track := (include "ppocr.tracks" . | fromJson).tracks -}}
{{- $found = concat $found (include "ppocr.checksOfTrack" (dict "root" $ "track" $track) | fromJsonArray) -}}
{{- end -}}
{{- with .Values.canary.match -}}
{{- if and .value (not .header) }}{{ $found = append $found "canary.match.value is set, and canary.match.header isn't: which header must have it?" }}{{ end -}}
{{- end -}}
{{- if and .Values.kserve.trackRoutes (eq .Values.mode "plain") }}{{ $found = append $found "kserve.trackRoutes is set, and mode is plain, which has no KServe" }}{{ end -}}
{{- if and .Values.ingress.enabled .Values.canary.enabled (not .Values.gateway.enabled) (or (gt (int .Values.canary.weight) 0) .Values.canary.match.header) }}{{ $found = append $found "an Ingress can't split requests between tracks: canary.weight and canary.match need gateway.enabled" }}{{ end -}}
{{- $found = concat $found (include "ppocr.checksOfLiveCanary" . | fromJsonArray) -}}
{{- with uniq $found }}{{ fail (printf "\n  - %s" (join "\n  - " .)) }}{{ end -}}
{{- end -}}

{{/* Sentences as a JSON array. Context {root, track}. */}}
{{- define "ppocr.checksOfTrack" -}}
{{- $root := .root -}}{{- $track := .track -}}{{- $all := $track.values -}}
{{- $where := ternary "canary." "" (eq $track.name "canary") -}}
{{- $found := list -}}
{{- $plain := eq $all.mode "plain" -}}
{{- /* KServe makes a DNS label NAME-PART-NAMESPACE of each part, and doesn't go on where that is too long. */ -}}
{{- $longest := printf "%s-%s-%s" $track.isvc (first $track.parts) $root.Release.Namespace -}}
{{- if and (gt (len $longest) 63) (not $plain) -}}
{{- $room := sub (len (include "ppocr.fullname" $root)) (sub (len $longest) 63) -}}
{{- $found = append $found (printf "KServe would build the host name %s from release and namespace; it has %d characters, and 63 are allowed: %s" $longest (len $longest) (ternary (printf "set fullnameOverride to a name of at most %d" $room) "the namespace's name is too long for any name" (gt $room 0))) -}}
{{- end -}}
{{- range $part := list "transformer" "predictor" -}}
{{- $values := index $all $part -}}
{{- $at := printf "%s%s" $where $part -}}
{{- $scaling := $values.autoscaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}{{ $found = append $found (printf "%s.autoscaling.minReplicas is %d, and must not be more than maxReplicas, which is %d" $at (int $scaling.minReplicas) (int $scaling.maxReplicas)) }}{{ end -}}
{{- if eq (int $values.ports.http) (int $values.ports.grpc) }}{{ $found = append $found (printf "%s.ports.http and %s.ports.grpc are both %d" $at $at (int $values.ports.http)) }}{{ end -}}
{{- if and $values.minReadySeconds (not $plain) }}{{ $found = append $found (printf "%s.minReadySeconds needs mode plain: an InferenceService has no such field" $at) }}{{ end -}}
{{- if and (eq $scaling.kind "keda") $scaling.fallback (not $scaling.triggers) (ne (dig "metric" "cpu" $scaling) "queuePixels") }}{{ $found = append $found (printf "%s.autoscaling.fallback needs an external metric, and KEDA scales on CPU: set %s.autoscaling.triggers" $at $at) }}{{ end -}}
{{- range $name, $kind := dict "metrics" "hpa" "triggers" "keda" "fallback" "keda" -}}
{{- if and (get $scaling $name) (ne $scaling.kind $kind) }}{{ $found = append $found (printf "%s.autoscaling.%s is set, and %s.autoscaling.kind is %s: it must be %s" $at $name $at $scaling.kind $kind) }}{{ end -}}
{{- end -}}
{{- range $container := concat $values.sidecars $values.initContainers -}}
{{- if has $container.name (list "kserve-container" "transformer-container" "storage-initializer" "transformer" "predictor") }}{{ $found = append $found (printf "%s: an additional container can't be called %s" $at $container.name) }}{{ end -}}
{{- end -}}
{{- $rolling := dig "rollingUpdate" (dict) $values.updateStrategy -}}
{{- if and (eq $values.updateStrategy.type "RollingUpdate") (has (dig "maxUnavailable" "25%" $rolling | toString) (list "0" "0%")) (has (dig "maxSurge" "25%" $rolling | toString) (list "0" "0%")) }}{{ $found = append $found (printf "%s.updateStrategy: maxUnavailable and maxSurge are both 0, so that no pod could be replaced" $at) }}{{ end -}}
{{- $names := include "ppocr.volumes" (dict "root" $root "track" $track "part" (ternary "predictor" $part (eq $all.mode "collocated"))) | fromYamlArray -}}
{{- $seen := list -}}
{{- range $names -}}
{{- if has .name $seen }}{{ $found = append $found (printf "%s.extraVolumes: there is already a volume called %s" $at .name) }}{{ end -}}
{{- $seen = append $seen .name -}}
{{- end -}}
{{- range $mount := $values.extraVolumeMounts -}}
{{- if not (has $mount.name $seen) }}{{ $found = append $found (printf "%s.extraVolumeMounts: there is no volume called %s" $at $mount.name) }}{{ end -}}
{{- if has $mount.mountPath (list "/tmp" "/mnt/models" "/run/ppocr" "/var/cache/ppocr") }}{{ $found = append $found (printf "%s.extraVolumeMounts: %s is used by the chart" $at $mount.mountPath) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if eq $all.mode "collocated" -}}
{{- $ports := list (int $all.transformer.ports.http) (int $all.transformer.ports.grpc) (int $all.predictor.collocatedPorts.http) (int $all.predictor.collocatedPorts.grpc) -}}
{{- if lt (len (uniq $ports)) 4 }}{{ $found = append $found (printf "%spredictor.collocatedPorts and transformer.ports must be four different ports in collocated mode" $where) }}{{ end -}}
{{- $ignored := list -}}
{{- range $name, $default := include "ppocr.ignoredWhenCollocated" . | fromYaml -}}
{{- $set := get $all.transformer $name -}}
{{- if not (eq (toJson $set) (toJson $default)) }}{{ $ignored = append $ignored $name }}{{ end -}}
{{- end -}}
{{- if ne $all.transformer.autoscaling.kind "none" }}{{ $ignored = append $ignored "autoscaling" }}{{ end -}}
{{- with $ignored }}{{ $found = append $found (printf "mode is collocated, where the predictor defines the pod: %stransformer.%s would have no effect; set it for the predictor" $where (join (printf ", %stransformer." $where) .)) }}{{ end -}}
{{- end -}}
{{- if and (eq $all.mode "collocated") (dig "preStop" "" $all.predictor.lifecycle) }}{{ $found = append $found (printf "%spredictor.lifecycle.preStop is set by the chart if mode is collocated" $where) }}{{ end -}}
{{- $model := $all.model -}}
{{- if and $plain (eq $model.source "storageUri") }}{{ $found = append $found (printf "%smodel.source is storageUri, which KServe reads, and mode is plain: it must be builtIn or pvc" $where) }}{{ end -}}
{{- if and $model.storageUri (ne $model.source "storageUri") }}{{ $found = append $found (printf "%smodel.storageUri is set, and %smodel.source is %s: it must be storageUri" $where $where $model.source) }}{{ end -}}
{{- if and (eq $model.source "storageUri") (not $model.storageUri) }}{{ $found = append $found (printf "%smodel.storageUri is needed if %smodel.source is storageUri" $where $where) }}{{ end -}}
{{- if and $model.pvc.claimName (ne $model.source "pvc") }}{{ $found = append $found (printf "%smodel.pvc.claimName is set, and %smodel.source is %s: it must be pvc" $where $where $model.source) }}{{ end -}}
{{- if and (eq $model.source "pvc") (not $model.pvc.claimName) (not $model.pvc.create.enabled) }}{{ $found = append $found (printf "%smodel.pvc.claimName or model.pvc.create is needed if %smodel.source is pvc" $where $where) }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{/* The transformer's values that describe a pod, and what they are where nobody has set them. */}}
{{- define "ppocr.ignoredWhenCollocated" -}}
replicas: 1
nodeSelector: {}
tolerations: []
affinity: {}
priorityClassName: ""
runtimeClassName: ""
podLabels: {}
podAnnotations: {}
restartedAt: ""
initContainers: []
sidecars: []
hostAliases: []
dnsPolicy: ""
dnsConfig: {}
schedulerName: ""
topologySpreadConstraints: []
resourceClaims: []
{{- end -}}

{{/*
A gateway answers 500 and 503 for a track without pods. Where Helm can ask the cluster, a weight is refused until the canary is ready;
with a release that is only now installed there is no traffic that it could fail.
*/}}
{{- define "ppocr.checksOfLiveCanary" -}}
{{- $found := list -}}
{{- $tracks := (include "ppocr.tracks" . | fromJson).tracks -}}
{{- if and .Values.gateway.enabled .Values.canary.enabled (gt (int .Values.canary.weight) 0) -}}
{{- $stable := lookup "apps/v1" "Deployment" .Release.Namespace (include "ppocr.front" (dict "track" (first $tracks))) -}}
{{- $canary := lookup "apps/v1" "Deployment" .Release.Namespace (include "ppocr.front" (dict "track" (last $tracks))) -}}
{{- if and $stable (not (dig "status" "availableReplicas" 0 ($canary | default dict))) -}}
{{- $found = append $found (printf "canary.weight is %d, and no pod of the canary is ready, so these requests would fail: install it with canary.weight=0, wait until it is ready, then set the weight, or let `ppocr rollout %s` do that" (int .Values.canary.weight) .Release.Name) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.canary.enabled -}}
{{- range $kind := list "HTTPRoute" "GRPCRoute" -}}
{{- range $rule := dig "spec" "rules" (list) (lookup "gateway.networking.k8s.io/v1" $kind $.Release.Namespace (printf "%s-rollout" (include "ppocr.fullname" $)) | default dict) -}}
{{- range $rule.backendRefs -}}
{{- if and (contains "-canary-" .name) (gt (int (dig "weight" 1 .)) 0) }}{{ $found = append $found (printf "canary.enabled is false, and a rollout still sends requests to the canary: end it first by `ppocr rollout %s --end`" $.Release.Name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

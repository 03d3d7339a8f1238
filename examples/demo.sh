#!/usr/bin/env bash
# Writes a corpus and runs the example queries on it: demo.sh FOLDER, with the binary in $LEXSTREAM and what
# `make models` wrote in $LEXSTREAM_MODELS.
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
cd "$folder"
export LEXSTREAM_HOME=$folder/home
ORT_DYLIB_PATH=$(echo "$LEXSTREAM_MODELS"/onnxruntime/*onnxruntime.*)
export ORT_DYLIB_PATH

if [ ! -s corpus.parquet ]; then
  registry=${CARGO_HOME:-$HOME/.cargo}/registry
  echo "writing corpus.parquet out of the README files under $registry; seconds, once"
  # A name of its own until it is whole: an interrupted run leaves no half corpus.
  script=$(sed -e "s#{registry}#$registry#" -e "s#'corpus.parquet'#'corpus.new.parquet'#" "$examples/corpus.sql")
  "$LEXSTREAM" sql --quiet --format csv --command "$script" > /dev/null
  mv corpus.new.parquet corpus.parquet
fi

# What another build has made may be of another format.
if [ ! -s vectors.parquet ] || [ "$LEXSTREAM" -nt vectors.parquet ]; then
  echo "making models, and vectors.parquet with all-MiniLM-L6-v2; about half a minute on two cores, once a build"
  rm -rf "$LEXSTREAM_HOME" vectors.parquet
  script=$(sed -e "s#{models}#$LEXSTREAM_MODELS#" -e "s#'vectors.parquet'#'vectors.new.parquet'#" "$examples/vectors.sql")
  "$LEXSTREAM" sql --quiet --format csv --command "$script" > /dev/null
  mv vectors.new.parquet vectors.parquet
fi

tell() {
  echo
  sed -n '1s/^-- //p' "$examples/$1.sql"
  grep -v '^--' "$examples/$1.sql" | sed 's/^/    /'
}

show() {
  tell "$1"
  "$LEXSTREAM" sql "${@:2}" --file "$examples/$1.sql"
}

for query in sizes lengths tokens frequent_words term_frequencies keywords similar near_duplicates tfidf_search search neighbours classify chinese; do
  show "$query"
done

tell batch
rm -rf labelled sentences
"$LEXSTREAM" batch --quiet --file "$examples/batch.sql" &
job=$!
finished() { find sentences -maxdepth 1 -name 'part-*' 2> /dev/null | wc -l; }
until [ "$(finished)" -ge 5 ] || ! kill -0 $job 2> /dev/null; do sleep 0.01; done
kill -9 $job 2> /dev/null || true
wait $job 2> /dev/null || true
echo "kill -9 with $(finished) units finished; the same command again:"
"$LEXSTREAM" batch --file "$examples/batch.sql"
show batch_check

echo
echo "lexstream broker:"
rm -f broker.address
mkfifo broker.address
"$LEXSTREAM" broker --topics readmes:4,labelled:4,embedded:4,readmes.dead:1 > broker.address &
broker=$!
trap 'kill $broker 2> /dev/null || true' EXIT
read -r brokers < broker.address
sed -e "s#{brokers}#$brokers#" "$examples/topics.sql" > topics.sql
show send --file topics.sql
tell stream
"$LEXSTREAM" stream --file topics.sql --file "$examples/stream.sql" --until-end
for query in arrived nearest_arrived dead_letters; do
  show "$query" --file topics.sql
done

"$LEXSTREAM" profile corpus.parquet --html profile.html > /dev/null
echo
echo "What the corpus is like, as a page: $folder/profile.html"
echo "Your turn, in $folder:"
echo "    ORT_DYLIB_PATH=$ORT_DYLIB_PATH $LEXSTREAM sql --home $LEXSTREAM_HOME"

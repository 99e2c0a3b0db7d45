"""Median time of scikit-learn's readers on one core: readers.py svmlight FILE | text FOLDER [RUNS]

Text is read and vectorised as by Twofold: load_files (Latin-1), headers, footers and quotations dropped by
scikit-learn's own functions, CountVectorizer, rows of norm 1. Both parts of a corpus by date are read, and the
vocabulary is that of the first.
"""
import os
import statistics
import sys
import time


def svmlight(path):
    from sklearn.datasets import load_svmlight_file

    return load_svmlight_file(path)[0]


def text(path):
    from sklearn.datasets import load_files
    from sklearn.datasets import _twenty_newsgroups as strip
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    folders = sorted(f for f in os.listdir(path) if os.path.isdir(os.path.join(path, f)))
    folders.sort(key=lambda f: not f.endswith("-train"))
    parts = []
    for folder in folders:
        docs = load_files(os.path.join(path, folder), encoding="latin1", shuffle=False).data
        docs = [strip.strip_newsgroup_header(d) for d in docs]
        docs = [strip.strip_newsgroup_footer(d) for d in docs]
        parts.append([strip.strip_newsgroup_quoting(d) for d in docs])
    vectorizer = CountVectorizer(dtype=float)
    X = [vectorizer.fit_transform(parts[0])] + [vectorizer.transform(d) for d in parts[1:]]
    return [normalize(x, copy=False) for x in X][0]


kind, path = sys.argv[1:3]
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
times = []
for _ in range(runs + 1):  # the first is not counted
    begin = time.perf_counter()
    X = {"svmlight": svmlight, "text": text}[kind](path)
    times.append(1e3 * (time.perf_counter() - begin))
print(f"{X.shape[0]} x {X.shape[1]}, {X.nnz} nonzeros", file=sys.stderr)
print(f"load {statistics.median(times[1:]):.2f} ms ({min(times[1:]):.2f} to {max(times[1:]):.2f})")

/* One sorted vocabulary from the dictionaries of all ranks, of which each rank keeps a range.

   Each rank sorts its own tokens and sends them to the owners of their ranges, whose ends are chosen from
   regular samples; an owner merges what comes, numbers it and answers. Tokens are distinct before they
   travel, so that one comes at most once from a rank however often the corpus repeats it: the frequent words
   weigh no more than the rare ones, ranges are as even as a hash would make them, and the one hop that
   removes repetitions also sorts. */
#include "text.h"

typedef struct {
  const char *text;
  PetscInt length, df;
  PetscInt number; /* where the term of this entry belongs */
} Entry;

/* As an entry travels; its bytes travel beside it. */
typedef struct {
  PetscInt length, df;
} EntryHead;

/* The beginning of a token, filled up with zeros: all that the end of a range needs, however long the token
   is. */
typedef struct {
  char text[32];
} Sample;

enum { SamplesPerRank = 32 };

static int CompareBytes(const char a[], PetscInt na, const char b[], PetscInt nb)
{
  const int order = memcmp(a, b, (size_t)PetscMin(na, nb));
  return order ? order : (na > nb) - (na < nb);
}

static int CompareEntries(const void *a, const void *b)
{
  const Entry *const x = a, *const y = b;
  return CompareBytes(x->text, x->length, y->text, y->length);
}

static int CompareSamples(const void *a, const void *b)
{
  return memcmp(a, b, sizeof(Sample));
}

/* This rank's tokens in byte order. */
static PetscErrorCode SortTokens(const TextDictionary *dict, Entry *sorted[])
{
  Entry *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(dict->n + 1, &e));
  for (PetscInt i = 0; i < dict->n; i++) {
    const TextToken *const t = &dict->token[i];
    e[i] = (Entry){dict->arena + t->at, t->length, t->df, i};
  }
  qsort(e, (size_t)dict->n, sizeof(*e), CompareEntries);
  *sorted = e;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Samples of all ranks in order, each standing for the same number of tokens. */
static PetscErrorCode CollectSamples(MPI_Comm comm, PetscInt n, const Entry sorted[], PetscInt *nsamples,
                                     Sample *samples[])
{
  PetscMPIInt size, bytes = 0, *counts, *displ;
  const PetscInt64 mine = n;
  PetscInt64 total, step;
  Sample *own, *all;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(MPIU_Allreduce(&mine, &total, 1, MPIU_INT64, MPI_SUM, comm));
  step = PetscMax(1, total / ((PetscInt64)size * SamplesPerRank));
  PetscCall(PetscCalloc1(mine / step + 1, &own));
  for (PetscInt64 i = step / 2; i < mine; i += step, bytes += (PetscMPIInt)sizeof(*own)) {
    Sample *const s = &own[i / step];
    PetscCall(PetscMemcpy(s->text, sorted[i].text, PetscMin((size_t)sorted[i].length, sizeof(s->text))));
  }
  PetscCall(PetscMalloc2(size, &counts, size + 1, &displ));
  PetscCallMPI(MPI_Allgather(&bytes, 1, MPI_INT, counts, 1, MPI_INT, comm));
  displ[0] = 0;
  for (PetscMPIInt r = 0; r < size; r++) displ[r + 1] = displ[r] + counts[r];
  *nsamples = displ[size] / (PetscInt)sizeof(*all);
  PetscCall(PetscMalloc1(*nsamples + 1, &all));
  PetscCallMPI(MPI_Allgatherv(own, bytes, MPI_BYTE, all, counts, displ, MPI_BYTE, comm));
  qsort(all, (size_t)*nsamples, sizeof(*all), CompareSamples);
  PetscCall(PetscFree2(counts, displ));
  PetscCall(PetscFree(own));
  *samples = all;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How many of this rank's entries, and of their bytes, each rank owns. Rank r begins where the samples are
   r / size through. */
static PetscErrorCode CountByOwner(MPI_Comm comm, PetscInt n, const Entry sorted[], PetscMPIInt entries[],
                                   PetscMPIInt bytes[])
{
  PetscMPIInt size, owner = 0;
  PetscInt nsamples = 0, i = 0;
  Sample *sample = NULL;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(CollectSamples(comm, n, sorted, &nsamples, &sample));
  for (; owner < size; owner++) {
    const char *const end =
        owner + 1 < size && nsamples ? sample[(PetscInt64)nsamples * (owner + 1) / size].text : NULL;
    const PetscInt length = end ? (PetscInt)strnlen(end, sizeof(Sample)) : 0;
    const PetscInt first = i;
    PetscInt64 load = 0;
    for (; i < n && (!end || CompareBytes(sorted[i].text, sorted[i].length, end, length) < 0); i++)
      load += sorted[i].length;
    PetscCall(PetscMPIIntCast(i - first, &entries[owner]));
    PetscCall(PetscMPIIntCast(load, &bytes[owner]));
  }
  PetscCall(PetscFree(sample));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sends the entries to their owners. Received entries point into *arena and are numbered as they came. */
static PetscErrorCode SendToOwners(MPI_Comm comm, PetscInt n, const Entry sorted[], PetscMPIInt *counts[],
                                   PetscInt *nowned, Entry *owned[], char *arena[])
{
  PetscMPIInt size, *entries, *bytes;
  size_t total = 0;
  EntryHead *head;
  char *text;
  void *heads, *texts;
  PetscInt nbytes;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &entries, size, &bytes));
  PetscCall(CountByOwner(comm, n, sorted, entries, bytes));
  for (PetscInt i = 0; i < n; i++) total += (size_t)sorted[i].length;
  PetscCall(PetscMalloc2(n, &head, total, &text));
  total = 0;
  for (PetscInt i = 0; i < n; i++) {
    head[i] = (EntryHead){sorted[i].length, sorted[i].df};
    PetscCall(PetscMemcpy(text + total, sorted[i].text, (size_t)sorted[i].length));
    total += (size_t)sorted[i].length;
  }
  PetscCall(TwofoldExchange(comm, sizeof(*head), entries, head, counts, &heads, nowned));
  PetscCall(TwofoldExchange(comm, 1, bytes, text, NULL, &texts, &nbytes));
  PetscCall(PetscFree2(head, text));
  PetscCall(PetscFree2(entries, bytes));

  PetscCall(PetscMalloc1(*nowned + 1, owned));
  *arena = texts;
  total = 0;
  for (PetscInt i = 0; i < *nowned; i++) {
    const EntryHead h = ((EntryHead *)heads)[i];
    (*owned)[i] = (Entry){*arena + total, h.length, h.df, i};
    total += (size_t)h.length;
  }
  PetscCall(PetscFree(heads));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An empty vocabulary with room for so many tokens and bytes. */
static PetscErrorCode VocabularyCreate(PetscInt ndocs, PetscInt64 tokens, PetscInt64 bytes,
                                       DataSetVocabulary *made)
{
  DataSetVocabulary v;

  PetscFunctionBegin;
  PetscCall(PetscNew(&v));
  v->references = 1;
  v->ndocs = ndocs;
  PetscCall(PetscMalloc1(bytes + 1, &v->text));
  PetscCall(PetscMalloc1(tokens + 1, &v->df));
  *made = v;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode VocabularyAppend(DataSetVocabulary v, const char text[], PetscInt length, PetscInt df)
{
  PetscFunctionBegin;
  PetscCall(PetscMemcpy(v->text + v->bytes, text, (size_t)length));
  v->bytes += length;
  v->text[v->bytes++] = '\n';
  v->df[v->n++] = df;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Numbers the tokens of this rank's range, which make its part of the vocabulary, and writes the term of each
   entry received. A token that no document of the vocabulary's part holds (df 0) is not part of it. */
static PetscErrorCode NumberRange(MPI_Comm comm, PetscInt n, Entry owned[], TextTerm term[],
                                  PetscInt *nfeatures, DataSetVocabulary vocabulary)
{
  PetscInt64 mine = 0, before = 0, total;

  PetscFunctionBegin;
  qsort(owned, (size_t)n, sizeof(*owned), CompareEntries);
  for (PetscInt i = 0, j; i < n; i = j) {
    PetscInt df = 0;
    for (j = i; j < n && !CompareEntries(&owned[i], &owned[j]); j++) df += owned[j].df;
    const PetscInt index = df > 0 ? (PetscInt)mine++ : -1;
    if (df > 0) PetscCall(VocabularyAppend(vocabulary, owned[i].text, owned[i].length, df));
    for (PetscInt k = i; k < j; k++) term[owned[k].number] = (TextTerm){index, df};
  }
  PetscCallMPI(MPI_Exscan(&mine, &before, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCall(MPIU_Allreduce(&mine, &total, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCall(PetscIntCast(total, nfeatures));
  for (PetscInt i = 0; i < n; i++)
    if (term[i].index >= 0) term[i].index += (PetscInt)before;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextVocabularyMerge_Private(MPI_Comm comm, const TextDictionary *dict, PetscInt ndocs,
                                           TextTerm *term[], PetscInt *nfeatures,
                                           DataSetVocabulary *vocabulary)
{
  PetscMPIInt *counts = NULL;
  PetscInt nowned = 0, nback;
  PetscInt64 bytes = 0;
  Entry *sorted = NULL, *owned = NULL;
  TextTerm *answer;
  char *arena = NULL;
  void *back;

  PetscFunctionBegin;
  PetscCall(SortTokens(dict, &sorted));
  PetscCall(SendToOwners(comm, dict->n, sorted, &counts, &nowned, &owned, &arena));
  PetscCall(PetscMalloc1(nowned + 1, &answer));
  for (PetscInt i = 0; i < nowned; i++) bytes += owned[i].length + 1;
  PetscCall(VocabularyCreate(ndocs, nowned, bytes, vocabulary));
  PetscCall(NumberRange(comm, nowned, owned, answer, nfeatures, *vocabulary));
  PetscCall(PetscRealloc((size_t)(*vocabulary)->bytes + 1, &(*vocabulary)->text));
  PetscCall(PetscRealloc((size_t)((*vocabulary)->n + 1) * sizeof(PetscInt), &(*vocabulary)->df));
  PetscCall(PetscFree(owned));
  PetscCall(PetscFree(arena));
  /* ranges are in rank order, so that the answers come back in the order of `sorted` */
  PetscCall(TwofoldExchange(comm, sizeof(*answer), counts, answer, NULL, &back, &nback));
  PetscCall(PetscMalloc1(dict->n + 1, term));
  for (PetscInt i = 0; i < dict->n; i++) (*term)[sorted[i].number] = ((TextTerm *)back)[i];
  PetscCall(PetscFree(back));
  PetscCall(PetscFree(answer));
  PetscCall(PetscFree(counts));
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

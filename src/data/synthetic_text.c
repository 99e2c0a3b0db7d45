/* Text that is made instead of read: documents as bags of words that follow Zipf's law, in classes that
   differ by the words they prefer.

     length of document i    L_i = M exp(z_i - 1/2), z_i ~ N(0, 1), rounded, at least 1: M words on average
     class of document i     k = i mod c
     each of its words       the r-th of the p words in the order of the class with probability T, else in the
                             common order, where P(r) ~ 1 / r^S
     x_i                     the counts of its words / their 2-norm, as the reader of text has them

   The common order scatters its words over 0..p-1, as an alphabet does; that of class k begins (k + 1) p / (c
   + 1) words further, among words that are rare otherwise. Every number is a function of (seed, global index)
   and of nothing else; time and memory are those of the words made. */
#include <twofold/impl/datasetimpl.h>

/* Mean lengths that are taken: the longest document of 2^53 has 3,200 times as many words. */
static const PetscReal longest_mean = 1e5;
/* Words p that are taken where indices allow for more: products of two of them have 64 bits. */
static const PetscInt64 most_words = (PetscInt64)1 << 32;

/* The sequences of random numbers of a part: lengths, and the keys of documents. */
enum { LENGTH, WORDS, STREAMS };

/* Draws r = 1..p with probability ~ r^-s in constant time and memory: rejection-inversion (Hoermann,
   Derflinger, ACM TOMACS 6(3), 1996). H is an integral of h(x) = x^-s. */
typedef struct {
  PetscReal s, p;
  PetscReal low, high; /* of the range that H^-1 takes to (1/2, p + 1/2), the mass of r = 1 in place of h's */
  PetscReal safe;      /* x this close below r is always accepted */
} Zipf;

static PetscReal ZipfMass(const Zipf *z, PetscReal x)
{
  return PetscExpReal(-z->s * PetscLogReal(x));
}

static PetscReal ZipfH(const Zipf *z, PetscReal x)
{
  const PetscReal y = PetscLogReal(x), t = (1 - z->s) * y;
  return t == 0 ? y : y * (PetscReal)expm1((double)t) / t;
}

static PetscReal ZipfInverseH(const Zipf *z, PetscReal y)
{
  const PetscReal t = PetscMax((1 - z->s) * y, -1);
  return PetscExpReal(t == 0 ? y : y * (PetscReal)log1p((double)t) / t);
}

static void ZipfSetUp(PetscReal s, PetscInt p, Zipf *z)
{
  z->s = s;
  z->p = (PetscReal)p;
  z->low = ZipfH(z, 1.5) - 1;
  z->high = ZipfH(z, z->p + 0.5);
  z->safe = 2 - ZipfInverseH(z, ZipfH(z, 2.5) - ZipfMass(z, 2));
}

/* The next r - 1 of the sequence `key`, whose place is *at. */
static PetscInt ZipfDraw(const Zipf *z, PetscInt64 key, PetscInt64 *at)
{
  while (1) {
    const PetscReal y = z->high + TwofoldRandomUniform(key, (*at)++) * (z->low - z->high);
    const PetscReal x = ZipfInverseH(z, y), r = PetscMin(PetscMax(PetscFloorReal(x + 0.5), 1), z->p);
    if (r - x <= z->safe || y >= ZipfH(z, r + 0.5) - ZipfMass(z, r)) return (PetscInt)r - 1;
  }
}

/* What documents are made by. */
typedef struct {
  const DataSetSyntheticTextRule *rule;
  PetscInt64 length, words; /* keys of the sequences of this part */
  PetscInt64 scatter;       /* factor of the common order, without a divisor in common with p */
  Zipf zipf;
} Writer;

static PetscInt64 CommonDivisor(PetscInt64 a, PetscInt64 b)
{
  while (b) {
    const PetscInt64 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static void WriterSetUp(const DataSetSyntheticTextRule *rule, PetscInt part, Writer *w)
{
  w->rule = rule;
  w->length = TwofoldRandomBits(rule->seed, LENGTH + STREAMS * (PetscInt64)part);
  w->words = TwofoldRandomBits(rule->seed, WORDS + STREAMS * (PetscInt64)part);
  w->scatter = (PetscInt64)(0.61803398874989485 * (double)rule->p) + 1; /* the golden section spreads best */
  while (CommonDivisor(w->scatter, rule->p) > 1) w->scatter++;
  ZipfSetUp(rule->zipf, rule->p, &w->zipf);
}

static PetscInt Length(const Writer *w, PetscInt i)
{
  const PetscReal words = w->rule->length * PetscExpReal(TwofoldRandomNormal(w->length, i) - 0.5);
  return (PetscInt)PetscMax(PetscFloorReal(words + 0.5), 1);
}

/* The words of document i, one behind the other. */
static void Write(const Writer *w, PetscInt i, PetscInt length, PetscInt word[])
{
  const PetscInt64 p = w->rule->p, c = w->rule->c, key = TwofoldRandomBits(w->words, i);
  const PetscInt64 own =
      (i % c + 1) * p / (c + 1); /* where the order of its class begins in the common one */
  PetscInt64 at = 0;

  for (PetscInt t = 0; t < length; t++) {
    const PetscInt64 begin = TwofoldRandomUniform(key, at++) < w->rule->topic ? own : 0;
    const uint64_t r = (uint64_t)((begin + ZipfDraw(&w->zipf, key, &at)) % p);
    word[t] = (PetscInt)(r * (uint64_t)w->scatter % (uint64_t)p);
  }
}

/* Sorted words become the columns of a row of X, whose number is returned. */
static PetscInt Count(PetscInt length, PetscInt word[], PetscScalar x[])
{
  PetscReal squares = 0;
  PetscInt n = 0;

  for (PetscInt t = 0, first = 0; t < length; t++) {
    const PetscReal times = (PetscReal)(t + 1 - first);
    if (t + 1 < length && word[t + 1] == word[t]) continue;
    first = t + 1;
    word[n] = word[t];
    x[n++] = times;
    squares += times * times;
  }
  for (PetscInt k = 0; k < n; k++) x[k] /= PetscSqrtReal(squares);
  return n;
}

static PetscErrorCode CheckRule(MPI_Comm comm, const DataSetSyntheticTextRule *rule, PetscInt part)
{
  PetscFunctionBegin;
  PetscCheck(rule->n >= 1 && rule->p >= 1 && rule->c >= 1 && part >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "synthetic text: %" PetscInt_FMT " documents (-blp_synthetic_n, _nval, _ntest) of %" PetscInt_FMT
             " features (-blp_synthetic_p) and %" PetscInt_FMT
             " classes (-blp_synthetic_classes): there must be at least one of each",
             rule->n, rule->p, rule->c);
  PetscCheck((PetscInt64)rule->p <= most_words, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_synthetic_p %" PetscInt_FMT ": synthetic text has at most 2^32 features", rule->p);
  PetscCheck(rule->length >= 1 && rule->length <= longest_mean, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_synthetic_length %g: the mean number of words must be 1 .. %g", (double)rule->length,
             (double)longest_mean);
  PetscCheck(rule->zipf >= 0 && rule->zipf <= 10, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_synthetic_zipf %g: the exponent must be 0 .. 10", (double)rule->zipf);
  PetscCheck(rule->topic >= 0 && rule->topic <= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_synthetic_topic %g: the share of words must be 0 .. 1", (double)rule->topic);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The most entries the documents start, ..., start + n - 1 can have: one a word. */
static PetscErrorCode MostEntries(MPI_Comm comm, const Writer *w, PetscInt start, PetscInt n, PetscInt *most)
{
  PetscInt64 words = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) words += Length(w, start + i);
  PetscCall(TwofoldAgree(
      comm, words < PETSC_MAX_INT ? PETSC_SUCCESS : TwofoldErrorCode(PETSC_ERR_ARG_OUTOFRANGE),
      "synthetic text: the documents of a rank have more words than an index of this PETSc can count: use "
      "more ranks, shorter or fewer documents (-blp_synthetic_length, _n), or a PETSc of 64-bit indices"));
  *most = (PetscInt)words;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetCreateSyntheticText(MPI_Comm comm, const DataSetSyntheticTextRule *rule, PetscInt part,
                                          DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, n = rule->n, start, most, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;
  DataSet made;
  Writer w;

  PetscFunctionBegin;
  PetscCall(CheckRule(comm, rule, part));
  PetscCall(PetscSplitOwnership(comm, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &start, 1, MPIU_INT, MPI_SUM, comm));
  start -= nlocal;
  WriterSetUp(rule, part, &w);
  PetscCall(MostEntries(comm, &w, start, nlocal, &most));
  PetscCall(PetscMalloc1(nlocal + 1, &rowptr));
  PetscCall(
      PetscMalloc1(most + 1, &col)); /* what is left over at their ends is never touched, and so takes */
  PetscCall(PetscMalloc1(most + 1, &val)); /* addresses but no memory */
  PetscCall(PetscMalloc1(nlocal, &label));
  rowptr[0] = 0;
  for (PetscInt i = 0; i < nlocal; i++) {
    PetscInt *const word = col + rowptr[i], length = Length(&w, start + i);
    Write(&w, start + i, length, word);
    PetscCall(PetscSortInt(length, word));
    rowptr[i + 1] = rowptr[i] + Count(length, word, val + rowptr[i]);
    label[i] = (PetscReal)((start + i) % rule->c);
  }
  PetscCall(DataSetCreate(comm, &made));
  PetscCall(PetscStrallocpy("synthetic text", &made->path));
  PetscCall(PetscStrncpy(made->format, "synthetic", sizeof(made->format)));
  PetscCall(DataSetTakeRows_Private(made, nlocal, rowptr, col, val, label, rule->p, PETSC_TRUE));
  PetscCall(PetscFree(label));
  *ds = made;
  PetscFunctionReturn(PETSC_SUCCESS);
}

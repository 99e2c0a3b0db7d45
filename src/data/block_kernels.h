/* The kernels over a block, by passes over its major side. Each is written once for a row of C columns and
   made for a few fixed C, so that a row is a handful of vector registers; c columns are cut into such pieces,
   one pass each.

   This is the text of block_plain.c and its like, which compile it for one family of processors each. */

#if defined(PETSC_USE_COMPLEX)
#error "the kernels are for real numbers"
#endif

#define INLINE static inline __attribute__((always_inline))

/* ------------------------------------------------------------------ a row of C columns */

/* Vectors as wide as the processor's registers, and what is left below. */
#define VECTOR(N)                                                                                            \
  __attribute__((vector_size((N) * sizeof(PetscScalar)), aligned(sizeof(PetscScalar)))) PetscScalar
typedef VECTOR(BLOCK_WIDTH) Wide;
typedef VECTOR(4) Four;
typedef VECTOR(2) Two;

/* C = BLOCK_WIDTH wides + (4) + (2) + (1), those in brackets as C's binary digits below the wide ones say */
typedef struct {
  Wide wide[BLOCK_WIDEST / BLOCK_WIDTH];
  Four four;
  Two two;
  PetscScalar one;
} Row;

/* Does OP for each part of a row: F names the part of a Row, AT its place in memory, T its type. */
#define FOR_PARTS(C, OP)                                                                                     \
  do {                                                                                                       \
    _Pragma("GCC unroll 16") for (int part = 0; part < (C) / BLOCK_WIDTH; part++)                            \
        OP(wide[part], BLOCK_WIDTH *part, Wide);                                                             \
    if (BLOCK_WIDTH > 4 && ((C)&4)) OP(four, (C) & ~7, Four);                                                \
    if (BLOCK_WIDTH > 2 && ((C)&2)) OP(two, (C) & ~3, Two);                                                  \
    if ((C)&1) OP(one, (C)-1, PetscScalar);                                                                  \
  } while (0)

INLINE void RowLoad(const int C, const PetscScalar *x, Row *r)
{
#define OP(F, AT, T) r->F = *(const T *)(x + (AT))
  FOR_PARTS(C, OP);
#undef OP
}

INLINE void RowStore(const int C, const Row *r, PetscScalar *x)
{
#define OP(F, AT, T) *(T *)(x + (AT)) = r->F
  FOR_PARTS(C, OP);
#undef OP
}

/* Asks for what a loop over rows will need some rows later: the processor's own guess ends with a page. */
enum { AHEAD = 16 };
INLINE void RowPrefetch(const int C, const PetscScalar *x)
{
  for (int k = 0; k < C; k += 8) __builtin_prefetch(x + k);
  if (C % 8 != 1) __builtin_prefetch(x + C - 1);
}

INLINE void RowZero(const int C, Row *r)
{
#define OP(F, AT, T) r->F = (T){0}
  FOR_PARTS(C, OP);
#undef OP
}

/* r += a x */
INLINE void RowAdd(const int C, Row *r, PetscScalar a, const Row *x)
{
#define OP(F, AT, T) r->F += a * x->F
  FOR_PARTS(C, OP);
#undef OP
}

/* r = a x + b y */
INLINE void RowCombine(const int C, Row *r, PetscScalar a, const Row *x, PetscScalar b, const Row *y)
{
#define OP(F, AT, T) r->F = a * x->F + b * y->F
  FOR_PARTS(C, OP);
#undef OP
}

/* r += a x * y by entries */
INLINE void RowAddProduct(const int C, Row *r, PetscScalar a, const Row *x, const Row *y)
{
#define OP(F, AT, T) r->F += a * x->F * y->F
  FOR_PARTS(C, OP);
#undef OP
}

INLINE void RowSubtract(const int C, Row *r, const Row *x, const Row *y)
{
#define OP(F, AT, T) r->F = x->F - y->F
  FOR_PARTS(C, OP);
#undef OP
}

INLINE PetscScalar RowSum(const int C, const Row *r)
{
  PetscScalar sum = 0;
#define OP(F, AT, T)                                                                                         \
  for (int k = 0; k < (int)(sizeof(T) / sizeof(PetscScalar)); k++) sum += ((const PetscScalar *)&r->F)[k]
  FOR_PARTS(C, OP);
#undef OP
  return sum;
}

/* D's row j: one number, or one for each of the C columns from column k0 on. */
INLINE void RowDiagonal(const int C, PetscInt c, FeatureMatDiagonal D, PetscInt j, PetscInt k0, Row *d)
{
  PetscReal one;

  if (D.weight && D.share == 1) {
    RowLoad(C, D.weight + j * c + k0, d);
    return;
  }
  one = D.weight ? D.weight[(j * c + k0) / D.share] : 0;
#define OP(F, AT, T) d->F = one + (T){0}
  FOR_PARTS(C, OP);
#undef OP
}

/* ------------------------------------------------------------------ pieces of c */

/* CALL(C) for pieces of C of the columns k0, ..., c - 1. */
#define FOR_PIECES(CALL)                                                                                     \
  for (PetscInt k0 = 0; k0 < c;) {                                                                           \
    switch (Piece(c - k0)) {                                                                                 \
      PIECE(CALL, 32)                                                                                        \
      PIECE(CALL, 20)                                                                                        \
      PIECE(CALL, 16)                                                                                        \
      PIECE(CALL, 10)                                                                                        \
      PIECE(CALL, 8)                                                                                         \
      PIECE(CALL, 4)                                                                                         \
      PIECE(CALL, 2)                                                                                         \
      PIECE(CALL, 1)                                                                                         \
    }                                                                                                        \
  }
#define PIECE(CALL, C)                                                                                       \
  case C:                                                                                                    \
    CALL(C);                                                                                                 \
    k0 += C;                                                                                                 \
    break;

static inline int Piece(PetscInt left)
{
  static const int widths[] = {32, 20, 16, 10, 8, 4, 2, 1};
  int i = 0;

  while (widths[i] > left) i++;
  return widths[i];
}

/* ------------------------------------------------------------------ products */

/* What a row's entries find on the minor side: the sum of M's row times `in`. */
INLINE void GatherRow(const int C, PetscInt c, const Block *X, PetscInt j, const PetscScalar *in, Row *sum)
{
  if (X->place[j] >= 0) {
    RowLoad(C, X->row[0] + (PetscInt64)X->place[j] * C, sum);
    return;
  }
  RowZero(C, sum);
  for (PetscInt64 e = X->start[j]; e < X->start[j + 1]; e++) {
    Row row;
    RowLoad(C, in + (PetscInt64)X->at[e] * c, &row);
    RowAdd(C, sum, X->value[e], &row);
  }
}

/* out += M^T row: the row goes to the places of its entries; one of a panel waits in the work array w. */
INLINE void ScatterRow(const int C, PetscInt c, const Block *X, int w, PetscInt j, const Row *row,
                       PetscScalar *out)
{
  if (X->place[j] >= 0) {
    RowStore(C, row, X->row[w] + (PetscInt64)X->place[j] * C);
    return;
  }
  for (PetscInt64 e = X->start[j]; e < X->start[j + 1]; e++) {
    PetscScalar *const to = out + (PetscInt64)X->at[e] * c;
    Row sum;
    RowLoad(C, to, &sum);
    RowAdd(C, &sum, X->value[e], row);
    RowStore(C, &sum, to);
  }
}

/* The rows of the panels, before any GatherRow(). */
INLINE void GatherPanels(const int C, PetscInt c, const Block *X, const PetscScalar *in)
{
  for (PetscInt k = 0; k < X->npanels; k++) {
    const Panel *const panel = &X->panel[k];
    PetscScalar *const rows = X->row[0] + (PetscInt64)k * X->capacity * C;
    for (PetscInt i = 0; i < X->capacity * C; i++) rows[i] = 0;
    for (PetscInt i = 0; i < X->minor; i++) {
      Row row;
      RowLoad(C, in + (PetscInt64)i * c, &row);
      for (PetscInt64 e = panel->start[i]; e < panel->start[i + 1]; e++) {
        PetscScalar *const to = rows + panel->at[e] * C;
        Row sum;
        RowLoad(C, to, &sum);
        RowAdd(C, &sum, panel->value[e], &row);
        RowStore(C, &sum, to);
      }
    }
  }
}

/* out += M^T in of the panels, after all ScatterRow(). */
INLINE void ScatterPanels(const int C, PetscInt c, const Block *X, int w, PetscScalar *out)
{
  for (PetscInt k = 0; k < X->npanels; k++) {
    const Panel *const panel = &X->panel[k];
    const PetscScalar *const rows = X->row[w] + (PetscInt64)k * X->capacity * C;
    for (PetscInt i = 0; i < X->minor; i++) {
      Row sum;
      RowLoad(C, out + (PetscInt64)i * c, &sum);
      for (PetscInt64 e = panel->start[i]; e < panel->start[i + 1]; e++) {
        Row row;
        RowLoad(C, rows + panel->at[e] * C, &row);
        RowAdd(C, &sum, panel->value[e], &row);
      }
      RowStore(C, &sum, out + (PetscInt64)i * c);
    }
  }
}

static void Gather(const Block *X, PetscInt c, const PetscScalar in[], PetscScalar out[])
{
#define CALL(C)                                                                                              \
  GatherPanels(C, c, X, in + k0);                                                                            \
  for (PetscInt j = 0; j < X->major; j++) {                                                                  \
    Row sum;                                                                                                 \
    GatherRow(C, c, X, j, in + k0, &sum);                                                                    \
    RowStore(C, &sum, out + (PetscInt64)j * c + k0);                                                         \
  }
  FOR_PIECES(CALL)
#undef CALL
}

static void Scatter(const Block *X, PetscInt c, const PetscScalar in[], PetscScalar out[])
{
#define CALL(C)                                                                                              \
  for (PetscInt j = 0; j < X->major; j++) {                                                                  \
    Row row;                                                                                                 \
    RowPrefetch(C, in + (PetscInt64)(j + AHEAD) * c + k0);                                                   \
    RowLoad(C, in + (PetscInt64)j * c + k0, &row);                                                           \
    ScatterRow(C, c, X, 0, j, &row, out + k0);                                                               \
  }                                                                                                          \
  ScatterPanels(C, c, X, 0, out + k0);
  FOR_PIECES(CALL)
#undef CALL
}

/* ------------------------------------------------------------------ sweeps */

/* y's row j from g's, in the Row `g`; adds what moved to the sums of the columns. `plus` may be NULL. */
INLINE void UpdateRow(const int C, const FeatureMatUpdate *u, const Row *d, const Row *a, const Row *b,
                      const PetscScalar *plus, Row *g, Row sums[2])
{
  Row moved, apart, more;

  RowSubtract(C, &apart, a, b);
  RowCombine(C, &moved, u->a0, a, u->b0, b);
  RowAdd(C, &moved, u->e, &apart);
  RowAddProduct(C, &moved, u->a1, d, a);
  RowAddProduct(C, &moved, u->b1, d, b);
  RowAdd(C, &moved, u->s, g);
  if (plus) {
    RowLoad(C, plus, &more);
    RowAdd(C, &moved, 1, &more);
  }
  RowAddProduct(C, &sums[0], 1, &moved, &moved);
  RowAddProduct(C, &sums[1], 1, &apart, &apart);
  RowCombine(C, g, u->keep, a, 1, &moved);
}

/* One loop for both: GIVEN is what puts g's row j there, THEN what becomes of y's. */
#define UPDATE_ROWS(C, ROWS, GIVEN, THEN)                                                                    \
  {                                                                                                          \
    Row part[2];                                                                                             \
    RowZero(C, &part[0]);                                                                                    \
    RowZero(C, &part[1]);                                                                                    \
    for (PetscInt j = 0; j < (ROWS); j++) {                                                                  \
      const PetscInt64 at = (PetscInt64)j * c + k0;                                                          \
      Row d, ra, rb, row;                                                                                    \
      RowDiagonal(C, c, D, j, k0, &d);                                                                       \
      RowPrefetch(C, a + at + AHEAD * c);                                                                    \
      RowPrefetch(C, b + at + AHEAD * c);                                                                    \
      if (u.plus) RowPrefetch(C, u.plus + at + AHEAD * c);                                                   \
      RowLoad(C, a + at, &ra);                                                                               \
      RowLoad(C, b + at, &rb);                                                                               \
      GIVEN;                                                                                                 \
      UpdateRow(C, &u, &d, &ra, &rb, u.plus ? u.plus + at : NULL, &row, part);                               \
      RowStore(C, &row, y + at);                                                                             \
      THEN;                                                                                                  \
    }                                                                                                        \
    sums[0] += RowSum(C, &part[0]);                                                                          \
    sums[1] += RowSum(C, &part[1]);                                                                          \
  }

static void Sweep(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                  const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                  PetscScalar z[], PetscReal sums[2])
{
  const FeatureMatUpdate u = *update; /* which no store changes */

#define CALL(C)                                                                                              \
  GatherPanels(C, c, X, r + k0);                                                                             \
  UPDATE_ROWS(C, X->major, GatherRow(C, c, X, j, r + k0, &row),                                              \
              if (z) ScatterRow(C, c, X, 0, j, &row, z + k0))                                                \
  if (z) ScatterPanels(C, c, X, 0, z + k0);
  FOR_PIECES(CALL)
#undef CALL
}

/* The part of y's and x's product that belongs to D's weights. */
INLINE void AddCross(const int C, PetscInt share, PetscInt64 at, PetscInt k0, const Row *y, const Row *x,
                     PetscReal *cross)
{
  Row product;

  RowZero(C, &product);
  RowAddProduct(C, &product, 1, y, x);
  if (share == 1)
    RowStore(C, &product, cross + at);
  else
    cross[at / share] = (k0 ? cross[at / share] : 0) + RowSum(C, &product);
}

static void SweepBeside(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                        const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                        PetscScalar z[], const PetscScalar x[], PetscReal cross[], PetscScalar zx[],
                        PetscReal sums[2])
{
  const FeatureMatUpdate u = *update;

#define CALL(C)                                                                                              \
  GatherPanels(C, c, X, r + k0);                                                                             \
  UPDATE_ROWS(C, X->major, GatherRow(C, c, X, j, r + k0, &row);                                              \
              RowPrefetch(C, x + at + AHEAD * c), ScatterRow(C, c, X, 0, j, &row, z + k0); Row rx;           \
              RowLoad(C, x + at, &rx); AddCross(C, D.share, at, k0, &row, &rx, cross);                       \
              ScatterRow(C, c, X, 1, j, &rx, zx + k0))                                                       \
  ScatterPanels(C, c, X, 0, z + k0);                                                                         \
  ScatterPanels(C, c, X, 1, zx + k0);
  FOR_PIECES(CALL)
#undef CALL
}

static void Update(PetscInt rows, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                   const PetscScalar g[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                   PetscReal sums[2])
{
  const FeatureMatUpdate u = *update;

#define CALL(C) UPDATE_ROWS(C, rows, RowLoad(C, g + at, &row), (void)0)
  FOR_PIECES(CALL)
#undef CALL
}

/* ------------------------------------------------------------------ conjugate gradients */

/* Row j of x, res and p from g's in the Row `g`, which becomes that of res; adds to the columns of the sums.
 */
INLINE void StepRow(const int C, const Row *d, PetscReal s, PetscReal alpha, PetscReal beta, PetscScalar *x,
                    PetscScalar *res, PetscScalar *p, Row *g, Row sums[3])
{
  Row rx, rr, rp, new_p, weighted;

  RowLoad(C, p, &rp);
  RowLoad(C, res, &rr);
  RowLoad(C, x, &rx);
  RowCombine(C, &new_p, 1, &rr, beta, &rp);
  RowStore(C, &new_p, p);
  RowAdd(C, &rx, alpha, &new_p);
  RowStore(C, &rx, x);
  RowAddProduct(C, g, 1, d, &new_p);
  RowAdd(C, &rr, -alpha * s, g);
  RowStore(C, &rr, res);
  RowAddProduct(C, &sums[0], 1, &rr, &rr);
  RowZero(C, &weighted);
  RowAddProduct(C, &weighted, 1, d, &rr);
  RowAddProduct(C, &sums[1], 1, &weighted, &rr);
  RowAddProduct(C, &sums[2], 1, &weighted, &new_p);
  *g = rr;
}

#define STEP_ROWS(C, ROWS, GIVEN, THEN)                                                                      \
  {                                                                                                          \
    Row part[3];                                                                                             \
    for (int i = 0; i < 3; i++) RowZero(C, &part[i]);                                                        \
    for (PetscInt j = 0; j < (ROWS); j++) {                                                                  \
      const PetscInt64 at = (PetscInt64)j * c + k0;                                                          \
      Row d, row;                                                                                            \
      RowDiagonal(C, c, D, j, k0, &d);                                                                       \
      RowPrefetch(C, x + at + AHEAD * c);                                                                    \
      RowPrefetch(C, res + at + AHEAD * c);                                                                  \
      RowPrefetch(C, p + at + AHEAD * c);                                                                    \
      GIVEN;                                                                                                 \
      StepRow(C, &d, s, alpha, beta, x + at, res + at, p + at, &row, part);                                  \
      THEN;                                                                                                  \
    }                                                                                                        \
    for (int i = 0; i < 3; i++) sums[i] += RowSum(C, &part[i]);                                              \
  }

static void SweepCG(const Block *X, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                    PetscReal beta, const PetscScalar r[], PetscScalar x[], PetscScalar res[],
                    PetscScalar p[], PetscScalar z[], PetscReal sums[3])
{
#define CALL(C)                                                                                              \
  GatherPanels(C, c, X, r + k0);                                                                             \
  STEP_ROWS(C, X->major, GatherRow(C, c, X, j, r + k0, &row), ScatterRow(C, c, X, 0, j, &row, z + k0))       \
  ScatterPanels(C, c, X, 0, z + k0);
  FOR_PIECES(CALL)
#undef CALL
}

static void UpdateCG(PetscInt rows, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                     PetscReal beta, const PetscScalar g[], PetscScalar x[], PetscScalar res[],
                     PetscScalar p[], PetscReal sums[3])
{
#define CALL(C) STEP_ROWS(C, rows, RowLoad(C, g + at, &row), (void)0)
  FOR_PIECES(CALL)
#undef CALL
}

#include "block_dense_kernels.h"

const BlockKernels BLOCK_KERNELS = {BLOCK_NAME, Runs,    Gather,   Scatter,     Sweep,       SweepBeside,
                                    Update,     SweepCG, UpdateCG, DenseGather, DenseScatter};

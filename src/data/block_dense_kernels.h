/* The kernels over a dense piece of a block, part of the text of block_kernels.h. A few rows of the result
   are in registers while one pass goes through the columns, or the rows, of M. */

/* Rows of the result at a time: as many as there are registers for, of 32 or 16. */
#define DENSE_GROUP(C)                                                                                       \
  (DENSE_REGISTERS / DENSE_PARTS(C) > 8                                                                      \
       ? 8                                                                                                   \
       : (DENSE_REGISTERS / DENSE_PARTS(C) ? DENSE_REGISTERS / DENSE_PARTS(C) : 1))
#define DENSE_PARTS(C) (((C) + BLOCK_WIDTH - 1) / BLOCK_WIDTH)
enum { DENSE_REGISTERS = BLOCK_WIDTH > 4 ? 24 : 12, DENSE_AHEAD = 64 };

/* The M rows of `out` from place i on: out_i += sum_k m_ik in_k */
INLINE void DenseGatherRows(const int C, const int M, PetscInt columns, PetscInt64 width, PetscInt64 c,
                            const PetscScalar *m, const PetscScalar *in, PetscScalar *out)
{
  Row sum[8];

  _Pragma("GCC unroll 8") for (int i = 0; i < M; i++) RowLoad(C, out + i * c, &sum[i]);
  for (PetscInt64 k = 0; k < columns; k++) {
    Row row;
    RowLoad(C, in + k * c, &row);
    _Pragma("GCC unroll 8") for (int i = 0; i < M; i++) RowAdd(C, &sum[i], m[i * width + k], &row);
  }
  _Pragma("GCC unroll 8") for (int i = 0; i < M; i++) RowStore(C, &sum[i], out + i * c);
}

/* The M rows of `out` from place k on: out_k += sum_i m_ik in_i. What is to come of M's rows is fetched. */
INLINE void DenseScatterRows(const int C, const int M, PetscInt rows, PetscInt64 width, PetscInt64 c,
                             const PetscScalar *m, const PetscScalar *in, PetscScalar *out)
{
  Row sum[8];

  _Pragma("GCC unroll 8") for (int k = 0; k < M; k++) RowLoad(C, out + k * c, &sum[k]);
  for (PetscInt64 i = 0; i < rows; i++) {
    Row row;
    RowLoad(C, in + i * c, &row);
    __builtin_prefetch(m + i * width + DENSE_AHEAD);
    _Pragma("GCC unroll 8") for (int k = 0; k < M; k++) RowAdd(C, &sum[k], m[i * width + k], &row);
  }
  _Pragma("GCC unroll 8") for (int k = 0; k < M; k++) RowStore(C, &sum[k], out + k * c);
}

static void DenseGather(PetscInt rows, PetscInt columns, PetscInt width, PetscInt c, const PetscScalar m[],
                        const PetscScalar in[], PetscScalar out[])
{
#define CALL(C)                                                                                              \
  {                                                                                                          \
    PetscInt64 i = 0;                                                                                        \
    for (; i + DENSE_GROUP(C) <= rows; i += DENSE_GROUP(C))                                                  \
      DenseGatherRows(C, DENSE_GROUP(C), columns, width, c, m + i * width, in + k0, out + i * c + k0);       \
    for (; i < rows; i++)                                                                                    \
      DenseGatherRows(C, 1, columns, width, c, m + i * width, in + k0, out + i * c + k0);                    \
  }
  FOR_PIECES(CALL)
#undef CALL
}

static void DenseScatter(PetscInt rows, PetscInt columns, PetscInt width, PetscInt c, const PetscScalar m[],
                         const PetscScalar in[], PetscScalar out[])
{
#define CALL(C)                                                                                              \
  {                                                                                                          \
    PetscInt64 k = 0;                                                                                        \
    for (; k + DENSE_GROUP(C) <= columns; k += DENSE_GROUP(C))                                               \
      DenseScatterRows(C, DENSE_GROUP(C), rows, width, c, m + k, in + k0, out + k * c + k0);                 \
    for (; k < columns; k++) DenseScatterRows(C, 1, rows, width, c, m + k, in + k0, out + k * c + k0);       \
  }
  FOR_PIECES(CALL)
#undef CALL
}

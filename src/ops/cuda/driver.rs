//! The calls of the GPU's driver: tensors as addresses, kernels, cuBLAS, the memory pool.
//!
//! All work goes to the device's one stream in the order of the calls. So a tensor may be dropped
//! as soon as what reads it is called: its memory is handed on in the same order.

use std::ffi::c_void;

use anyhow::{Context, Result, bail, ensure};
use candle_core::cuda_backend::cudarc::cublas::{result::gemm_strided_batched_ex, sys as cublas};
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaStream, DevicePtr, LaunchConfig, PushKernelArg, result, sys,
};
use candle_core::cuda_backend::{CudaStorageSlice, WrapErr};
use candle_core::{CudaDevice, DType, Device, Shape, Storage, Tensor};

/// What `scripts/kernels.sh` made of kernels.cu.
const PTX: &str = include_str!("kernels.ptx");

/// A kernel, and the device that it is to run on.
pub(super) struct Kernel<'a> {
    device: &'a CudaDevice,
    name: String,
}

/// What a kernel is called with, in the order of its parameters.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    /// A tensor without gaps.
    Of(&'a Tensor),
    /// The address of no tensor.
    Nothing,
    Long(u64),
    Int(u32),
    Real(f32),
}

/// Threads of a block, and the blocks of a grid.
pub(super) struct Grid {
    pub(super) threads: usize,
    pub(super) blocks: [usize; 2],
}

impl<'a> Kernel<'a> {
    /// The kernel of that name for the type of `like`, on its device.
    pub(super) fn of(name: &str, like: &'a Tensor) -> Result<Kernel<'a>> {
        let dtype = match like.dtype() {
            DType::F32 => "f32",
            DType::BF16 => "bf16",
            other => bail!("no kernel `{name}` for {other:?}"),
        };
        Ok(Kernel { device: device(like.device())?, name: format!("{name}_{dtype}") })
    }

    /// The kernel of that name, which takes one type only.
    pub(super) fn only(name: &str, on: &'a Device) -> Result<Kernel<'a>> {
        Ok(Kernel { device: device(on)?, name: name.into() })
    }

    /// The kernel of that name for heads of `width` elements.
    pub(super) fn of_width(name: &str, width: usize, on: &'a Device) -> Result<Kernel<'a>> {
        Ok(Kernel { device: device(on)?, name: format!("{name}_{width}") })
    }

    pub(super) fn launch(&self, grid: Grid, arguments: &[Argument]) -> Result<()> {
        self.launch_with(0, grid, arguments)
    }

    /// With as many bytes of shared memory a block, beside those that the kernel names.
    pub(super) fn launch_with(
        &self,
        shared: usize,
        grid: Grid,
        arguments: &[Argument],
    ) -> Result<()> {
        if grid.blocks.contains(&0) {
            return Ok(());
        }
        let function = self.device.get_or_load_custom_func(&self.name, "cookc", PTX)?;
        if shared > 0 {
            let most = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            function.set_attribute(most, i32::try_from(shared)?).w()?;
        }
        let addresses = arguments.iter().map(Argument::address).collect::<Result<Vec<u64>>>()?;
        let mut call = function.builder();
        for (argument, address) in arguments.iter().zip(&addresses) {
            match argument {
                Argument::Of(_) | Argument::Nothing => call.arg(address),
                Argument::Long(number) => call.arg(number),
                Argument::Int(number) => call.arg(number),
                Argument::Real(number) => call.arg(number),
            };
        }
        let [x, y] = grid.blocks.map(u32::try_from);
        let config = LaunchConfig {
            grid_dim: (x?, y?, 1),
            block_dim: (u32::try_from(grid.threads)?, 1, 1),
            shared_mem_bytes: u32::try_from(shared)?,
        };
        // SAFETY: the caller, beside us in this folder, passes what the kernel of that name takes,
        // and tensors of the sizes that it reads and writes; tests/it/train/cuda.rs calls them all.
        unsafe { call.launch(config) }.w().with_context(|| format!("kernel `{}`", self.name))?;
        Ok(())
    }
}

impl Argument<'_> {
    fn address(&self) -> Result<u64> {
        match self {
            Argument::Of(x) => address(x),
            _ => Ok(0),
        }
    }
}

/// A batch of matrices in the memory of a tensor, for [`multiply`].
#[derive(Clone, Copy)]
pub(super) struct Matrices {
    /// Of the first one's first element.
    pub(super) address: u64,
    pub(super) dtype: DType,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Elements from one row to the next; from one column to the next, if `transposed`.
    pub(super) stride: usize,
    pub(super) transposed: bool,
    /// Elements from one matrix to the next.
    pub(super) each: usize,
}

impl Matrices {
    pub(super) fn t(self) -> Matrices {
        let (rows, columns) = (self.columns, self.rows);
        Matrices { rows, columns, transposed: !self.transposed, ..self }
    }

    /// Further on in memory by that number of elements.
    pub(super) fn after(self, elements: usize) -> Matrices {
        let bytes = elements * self.dtype.size_in_bytes();
        Matrices { address: self.address + bytes as u64, ..self }
    }
}

/// What a product is scaled by, what it is added to, and how many of them there are.
pub(super) struct Product {
    /// Factor of the values that the result replaces.
    pub(super) kept: f32,
    /// Factor of the product.
    pub(super) scale: f32,
    /// Matrices of the batch.
    pub(super) count: usize,
}

/// `out = kept × out + scale × a·b` for each of `count` matrices, summed in f32.
pub(super) fn multiply(
    on: &Device,
    out: Matrices,
    a: Matrices,
    b: Matrices,
    Product { kept, scale, count }: Product,
) -> Result<()> {
    ensure!(
        (a.rows, a.columns, b.columns) == (out.rows, b.rows, out.columns) && !out.transposed,
        "a product of {} × {} and {} × {} onto {} × {}",
        a.rows,
        a.columns,
        b.rows,
        b.columns,
        out.rows,
        out.columns
    );
    if count * out.rows * out.columns == 0 {
        return Ok(());
    }
    // cuBLAS takes matrices column by column, so it sees all transposed: outᵀ = bᵀ·aᵀ.
    let side = |x: Matrices| -> Result<(cublas::cublasOperation_t, i32, i64)> {
        use cublas::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
        let operation = if x.transposed { CUBLAS_OP_T } else { CUBLAS_OP_N };
        Ok((operation, i32::try_from(x.stride)?, i64::try_from(x.each)?))
    };
    let ((a_op, a_stride, a_each), (b_op, b_stride, b_each)) = (side(a)?, side(b)?);
    let (_, out_stride, out_each) = side(out)?;
    // SAFETY: the addresses are of tensors that the caller holds, whose strides and counts it took
    // from their shapes; the two numbers outlive the call, which reads them before it returns.
    unsafe {
        gemm_strided_batched_ex(
            *device(on)?.cublas_handle().handle(),
            b_op,
            a_op,
            i32::try_from(out.columns)?,
            i32::try_from(out.rows)?,
            i32::try_from(a.columns)?,
            (&raw const scale).cast(),
            b.address as *const c_void,
            kind(b.dtype)?,
            b_stride,
            b_each,
            a.address as *const c_void,
            kind(a.dtype)?,
            a_stride,
            a_each,
            (&raw const kept).cast(),
            out.address as *mut c_void,
            kind(out.dtype)?,
            out_stride,
            out_each,
            i32::try_from(count)?,
            cublas::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            cublas::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
        )
    }
    .map_err(|error| anyhow::anyhow!("cuBLAS refused a product: {error:?}"))
}

fn kind(dtype: DType) -> Result<cublas::cudaDataType> {
    match dtype {
        DType::F32 => Ok(cublas::cudaDataType::CUDA_R_32F),
        DType::BF16 => Ok(cublas::cudaDataType::CUDA_R_16BF),
        other => bail!("no product of {other:?}"),
    }
}

/// A tensor whose elements the next kernel writes, all of them.
pub(super) fn room(shape: impl Into<Shape>, dtype: DType, on: &Device) -> Result<Tensor> {
    device(on)?;
    // SAFETY: the caller, beside us in this folder, has a kernel or a product fill it.
    Ok(unsafe { Tensor::empty(shape, dtype, on)? })
}

/// Of the first element of a tensor without gaps.
pub(super) fn address(x: &Tensor) -> Result<u64> {
    ensure!(x.is_contiguous(), "the tensor has gaps");
    first(x)
}

/// Of the first element, wherever the others lie.
pub(super) fn first(x: &Tensor) -> Result<u64> {
    fn start<T>(slice: &CudaSlice<T>, stream: &CudaStream) -> u64 {
        slice.device_ptr(stream).0
    }
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else { bail!("the tensor is not on the GPU") };
    let stream = &storage.device.cuda_stream();
    let start = match &storage.slice {
        CudaStorageSlice::F32(slice) => start(slice, stream),
        CudaStorageSlice::BF16(slice) => start(slice, stream),
        CudaStorageSlice::F64(slice) => start(slice, stream),
        CudaStorageSlice::U32(slice) => start(slice, stream),
        CudaStorageSlice::U8(slice) => start(slice, stream),
        _ => bail!("no kernel takes {:?}", x.dtype()),
    };
    Ok(start + (layout.start_offset() * x.dtype().size_in_bytes()) as u64)
}

fn device(on: &Device) -> Result<&CudaDevice> {
    let Device::Cuda(device) = on else { bail!("the tensor is not on the GPU") };
    // The mark of a device that has not been made ready.
    if device.is_event_tracking() {
        make_ready(device).context("the GPU's memory pool")?;
    }
    Ok(device)
}

/// Freed memory stays with the process: a step asks for what the one before has freed.
fn make_ready(device: &CudaDevice) -> Result<()> {
    let stream = device.cuda_stream();
    if stream.context().has_async_alloc() {
        let mut threshold = u64::MAX;
        let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        // SAFETY: the context's own device has the pool, and the attribute is a 64-bit number.
        unsafe {
            let pool = result::device::get_mem_pool(stream.context().cu_device())?;
            result::mem_pool::set_attribute(pool, attribute, (&raw mut threshold).cast())?;
        }
    }
    // SAFETY: the device has one stream, see `model::device`, so there is no order to keep between
    // streams.
    unsafe { device.disable_event_tracking() };
    Ok(())
}
